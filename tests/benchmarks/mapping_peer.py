"""Maps and routes one OpenQASM 2 file with wisq (DASCOT); prints JSON.

    python mapping_peer.py FILE square|compact SECONDS

`mapping.py` runs it with an interpreter that has wisq.  SECONDS is wisq's own limit, of which half
goes to mapping and half to routing; CPU seconds are those of mapping and routing alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from wisq import map_and_route

LAYOUT = {"square": "square_sparse_layout", "compact": "compact_layout"}

if __name__ == "__main__":
    file, grid, seconds = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        start = time.process_time()
        map_and_route(file, LAYOUT[grid], str(out), int(seconds))
        spent = time.process_time() - start
        found = json.loads(out.read_text())
    print(json.dumps({"seconds": spent, "map": found["map"], "steps": found["steps"]}))
