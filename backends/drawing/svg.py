"""Shapes of SVG as text.

Letters are as wide as in a monospace font, whatever fonts there are: every text says how long it
is.  Texts may come from anywhere; what cannot be printed is replaced.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from qwasmc.backends.view.palette import PALETTE

INK, GREY, WHITE = PALETTE["ink"], "#5d6a77", "#ffffff"

FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

PAGE = 960.0
"""Pixels across, where a drawing may go on below."""

MARGIN = 16.0


def shape(tag: str, inside: str = "", /, **attributes: str | float) -> str:
    """An element; `_` in the name of an attribute stands for `-`."""
    listed = "".join(
        f' {name.replace("_", "-")}="{value if isinstance(value, str) else f"{value:.6g}"}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{listed}>{inside}</{tag}>" if inside else f"<{tag}{listed}/>"


def escaped(text: str) -> str:
    """A text for an element or an attribute."""
    return html.escape("".join(c if c.isprintable() else "\ufffd" for c in text))


def clipped(text: str, most: int) -> str:
    """A text of at most so many letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def width_of(text: str, size: float = 12) -> float:
    """Pixels that a text is wide."""
    return 0.6 * size * len(text)


def text(
    x: float, y: float, content: str, *, size: float = 12, fill: str = INK, anchor: str = "start"
) -> str:
    """A line of text whose letters are centred at height y."""
    return shape(
        "text",
        escaped(content) or " ",
        x=x,
        y=y + 0.35 * size,
        font_size=size,
        fill=fill,
        text_anchor=anchor,
        textLength=width_of(content, size),
        lengthAdjust="spacingAndGlyphs",
    )


def path(data: str, stroke: str = INK, wide: float = 1.2, **more: str | float) -> str:
    """A line along a path."""
    return shape("path", d=data, fill="none", stroke=stroke, stroke_width=wide, **more)


def titled(title: str, shapes: Iterable[str]) -> str:
    """A group of shapes that tells its title where the pointer is on it."""
    return shape("g", f"<title>{escaped(title)}</title>{''.join(shapes)}")


def document(wide: float, high: float, shapes: Iterable[str]) -> str:
    """A drawing of so many pixels on white, which is to be seen on dark pages, too."""
    paper = shape("rect", width=wide, height=high, fill=WHITE, rx=6.0)
    body = "\n".join([paper, *shapes])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.6g} {high:.6g}" '
        f'width="{wide:.6g}" height="{high:.6g}" font-family="{FONT}">\n{body}\n</svg>\n'
    )


def message_svg(message: str) -> str:
    """A line of text in place of a drawing."""
    shown = clipped(message, 120)
    return document(
        width_of(shown) + 2 * MARGIN, 20 + 2 * MARGIN, [text(MARGIN, MARGIN + 10, shown, fill=GREY)]
    )
