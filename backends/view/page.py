"""The page: one HTML file that holds its data, its style and its program, and fetches nothing.

What comes from the input is in one block of JSON, in which "<" is escaped, and gets onto the page
as text only.  The content security policy forbids all but this very style and this very script.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

SCRIPTS = (
    "columns",
    "state",
    "words",
    "surface",
    "joins",
    "pen",
    "plan",
    "boxes",
    "camera",
    "painter",
    "space",
    "timeline",
    "source",
    "info",
    "main",
)
"""Files of the folder js, in the order in which they are run."""


def page(data: Mapping[str, Any]) -> str:
    """The page that shows `data`, see `qwasmc.backends.view.data.page_data`."""
    style = (FOLDER / "style.css").read_text("utf-8")
    parts = [(FOLDER / "js" / f"{name}.js").read_text("utf-8") for name in SCRIPTS]
    script = '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    title = html.escape(f"{data['title']} in space and time")
    fields = {
        "policy": policy,
        "title": title.encode("ascii", "xmlcharrefreplace").decode(),
        "style": style,
        "data": text.replace("<", "\\u003c"),
        "script": script,
    }
    # Pieces between fields, so that nothing in a field is taken for another one.
    pieces = (FOLDER / "page.html").read_text("utf-8").split("{{")
    made = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        made += (fields[name], rest)
    return "".join(made)


def _hash(text: str) -> str:
    """The hash by which a policy allows an inline element."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
