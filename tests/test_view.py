"""The page's data and the drawings, against what is read off the text form and off other tools."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from surgery_shapes import JOINS
from test_lower_surgery import CHIPS, on_chip, random_program
from test_timetable import ROW

import qwasmc
from qwasmc.backends.stim.code import region_code
from qwasmc.backends.view.data import page_data
from qwasmc.backends.view.drawing import slab_svg
from qwasmc.backends.view.figures import error_parts, figures
from qwasmc.backends.view.isometric import space_time_svg
from qwasmc.backends.view.page import page
from qwasmc.backends.view.palette import PALETTE
from qwasmc.backends.view.scene import make_scene, parts_of, twists
from qwasmc.cli import run
from qwasmc.ir.surgery import Join, Letter, Row, Surgery, SurgeryBuilder, encode_join
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.text import print_ir

ROOT = Path(__file__).parent.parent
BELL, MAGIC = ROOT / "examples" / "bell.qwasm", ROOT / "examples" / "magic.qwasm"

NO_SCHEDULE: dict[str, list[Any]] = {
    key: [] for key in ("factories", "pareto", "productions", "consumptions", "buffered")
}


def compiled(program: Path | str, **options: Any) -> qwasmc.Artifact:
    return qwasmc.compile(program, emit="surgery", **options)


def one_join(join: Join) -> Surgery:
    """A program of one joint measurement."""
    builder = SurgeryBuilder()
    for term in join.terms:
        builder.add(Row.PREPARE, tile=term.tile, aux=Letter.Z)
    builder.add(Row.JOIN, slab=1, operands=encode_join(join))
    for term in join.terms:
        builder.add(Row.MEASURE, slab=2, tile=term.tile, aux=Letter.X)
    return builder.freeze()


def columns(data: dict[str, Any]) -> dict[str, list[int]]:
    """The columns as lists."""
    return {
        name: np.frombuffer(base64.b64decode(each["data"]), f"<{each['type']}").tolist()
        for name, each in data["columns"].items()
    }


def tiles(text: str) -> list[tuple[int, int]]:
    return [(int(x), int(y)) for x, y in re.findall(r"\((-?\d+),(-?\d+)\)", text)]


def written(surgery: Surgery) -> tuple[list[Any], list[Any]]:
    """Patches and joins as the text form has them: sets of what happens where and when."""
    alive: dict[tuple[int, int], int] = {}
    patches, joins, last = [], [], 0
    for line in print_ir(surgery).splitlines():
        if not (found := ROW.search(line)):
            continue
        kind, attributes = found[1], found[2]
        timed = re.search(r"slab = (\d+)", attributes)
        slab = int(timed[1]) if timed else 0
        last = max(last, slab)
        if kind in ("prepare", "inject", "input"):
            alive[tiles(attributes)[0]] = slab
        elif kind in ("measure", "adapt", "output"):
            tile = tiles(attributes)[0]
            patches.append((tile, alive.pop(tile), slab))
        elif kind == "join":
            lists = re.findall(r"\w+ = \[([^]]*)\]", attributes)
            joins.append((slab, *(sorted(re.findall(r'"([^"]*)"', each)) for each in lists)))
    patches += [(tile, first, last) for tile, first in alive.items()]
    return sorted(patches), sorted(joins)


def shown(column: dict[str, list[int]]) -> tuple[list[Any], list[Any]]:
    """The same of the page's columns."""
    place = list(zip(column["patchX"], column["patchY"], strict=True))
    patches = list(zip(place, column["patchFirst"], column["patchLast"], strict=True))

    def spell(letter: int, x: int, y: int) -> str:
        return f"{Letter(letter).name}({x},{y})"

    joins = []
    for j, slab in enumerate(column["joinSlab"]):
        terms, routes, edges = (
            range(*column[name][j : j + 2]) for name in ("joinTerm", "joinRoute", "joinEdge")
        )
        of_term = [(column["termLetter"][t], *place[column["termPatch"][t]]) for t in terms]
        of_route = [tuple(column[f"route{key}"][r] for key in ("Letter", "X", "Y")) for r in routes]
        of_edge = []
        for e in edges:
            x, y, kind = (column[f"edge{key}"][e] for key in ("X", "Y", "Kind"))
            far = (x + 1, y) if kind % 4 == 1 else (x, y + 1)
            of_edge.append(f"({x},{y}){'~' if kind >= 4 else '-'}({far[0]},{far[1]})")
        letters = (sorted(spell(*each) for each in part) for part in (of_term, of_route))
        joins.append((slab, *letters, sorted(of_edge)))
    return sorted(patches), sorted(joins)


@pytest.mark.parametrize("seed", range(12))
def test_columns_are_the_rows_of_the_text(seed: int) -> None:
    def check(circuit: Any, **chip: object) -> None:
        surgery = lower_surgery(defer_paulis(circuit), **chip)
        data = page_data(surgery, NO_SCHEDULE, {}, title="")
        assert shown(columns(data)) == written(surgery)

    on_chip(check, random_program(seed, max_qubits=4, gates=16), CHIPS[seed % len(CHIPS)])


@pytest.mark.parametrize("name", JOINS)
def test_joins_and_twists_of_all_shapes(name: str) -> None:
    """Twists are where the code of the region has them."""
    distance, join = 5, JOINS[name]
    surgery = one_join(join)
    data = page_data(surgery, NO_SCHEDULE, {}, title="")
    assert shown(columns(data)) == written(surgery)
    cats = region_code(join, distance).cats
    expected = [cat.bridge for cat in cats if cat.wall.name.startswith("TWIST")]
    scene = make_scene(surgery)
    terms, _, edges = parts_of(scene.joins, 0)
    pitch = distance + 1
    assert sorted((x * pitch - 1, y * pitch - 1) for x, y in twists(terms, edges)) == sorted(
        expected
    )


@pytest.mark.parametrize("factory", ["port", "15-to-1"])
@pytest.mark.parametrize("path", [BELL, MAGIC], ids=lambda path: path.stem)
def test_figures_are_those_of_the_report(path: Path, factory: str) -> None:
    """Keys that both have are equal; the report counts on the emitted circuit."""
    artifact = compiled(path, factory=factory, distance=5)
    found = figures(artifact.surgery, artifact.schedule, artifact.trail.program)
    report = qwasmc.compile(path, factory=factory, distance=5).report
    flat = {**report, **{f"joins.{key}": value for key, value in report["joins"].items()}}
    common = found.keys() & flat.keys()
    assert len(common) >= 10
    assert {key: found[key] for key in common} == {key: flat[key] for key in common}


def test_errors_by_hand() -> None:
    """One T at a port: tiles that are used, times rounds; a factory counts as two tiles."""
    artifact = compiled(MAGIC, factory="injection", factories=1)
    surgery, schedule = artifact.surgery, artifact.schedule
    parts = error_parts(surgery, schedule, 1e-6, {"injection": 1e-3})
    found = figures(surgery, schedule, None)
    assert parts["magic states, injection"] == pytest.approx(2e-3)
    assert parts["patches, tiles x rounds"] == pytest.approx(
        found["tiles"] * found["rounds"] * 1e-6
    )


def test_names_of_qubits_and_results() -> None:
    """Each q[i] is measured as c[i], so the patch that ends in c[i] is q[i]."""
    rng = np.random.default_rng(5)
    gates = [f"cx q[{a}], q[{b}];" for a, b in (rng.permutation(6)[:2] for _ in range(20))]
    text = "\n".join(
        ['OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[6] q;\nbit[6] c;', "h q;", *gates]
    )
    artifact = compiled(text + "\nc = measure q;\n", level=0)
    data = page_data(
        artifact.surgery, artifact.schedule, {}, title="", program=artifact.trail.program
    )
    column, names = columns(data), ["", *data["names"]]
    pairs = {
        (names[name + 1], names[result + 1])
        for name, result in zip(column["patchName"], column["patchResult"], strict=True)
    }
    assert pairs == {("", "")} | {(f"q[{i}]", f"c[{i}]") for i in range(6)}


def test_places_lead_to_the_lines_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    artifact = compiled(Path("examples/macros.qwasm"))
    data = page_data(artifact.surgery, artifact.schedule, {}, title="")
    column = columns(data)
    lines = data["files"][0]["text"].split("\n")
    assert data["files"][0]["name"] == "examples/macros.qwasm"
    ops = {column["opPlace"][op] for op in column["joinOp"]}
    assert {lines[column["placeLine"][place] - 1].split()[0] for place in ops} == {"cz:"}
    calls = {column["placeParent"][place] for place in ops}
    assert all("CX_BY_CZ" in lines[column["placeLine"][call] - 1] for call in calls)


# -- the page ----------------------------------------------------------------------------------


def data_of(text: str) -> Any:
    """The data in a page."""
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found[1])


def test_page_is_small_and_the_same_from_run_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code = (
        "import qwasmc, pathlib; from qwasmc.commands.view import page_of;"
        "print(page_of(qwasmc.compile(pathlib.Path('examples/bell.qwasm'), emit='surgery')))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) < 150_000


HOSTILE = "</script><script>alert(1)</script><!-- \u2028 {{data}} <img src=x onerror=alert(2)>"


def hostile_program() -> Surgery:
    """A program whose names, file and text try to get out of the page."""
    builder = SurgeryBuilder()
    file = builder.locations.add_file(HOSTILE, f"{HOSTILE}\n{HOSTILE}")
    loc = builder.locations.add(file, 1, 1, 9)
    builder.add(Row.PREPARE, aux=Letter.Z, loc=loc)
    bit = builder.add(Row.MEASURE, aux=Letter.Z, loc=loc)
    builder.add(Row.RESULT, aux=builder.name(HOSTILE), operands=[bit])
    builder.add(Row.FACTORY, tile=(1, 0), aux=builder.name(HOSTILE + " #0"), operands=[1] * 5)
    return builder.freeze()


def hostile_page() -> str:
    surgery = hostile_program()
    names = [{"name": HOSTILE, "tile": [1, 0], "size": [1, 1], "port": [1, 0], "period": 1}]
    schedule = {**NO_SCHEDULE, "factories": names}
    return page(page_data(surgery, schedule, {HOSTILE: HOSTILE}, title=HOSTILE))


def test_input_does_not_get_out_of_its_block() -> None:
    text = hostile_page()
    assert text.count("<script") == 2
    assert text.count("</script") == 2
    assert "<img" not in text
    assert "<!--" not in text
    data = data_of(text)
    assert data["files"][0] == {"name": HOSTILE, "text": f"{HOSTILE}\n{HOSTILE}"}
    assert HOSTILE in data["names"]


def test_command_takes_programs_and_surgery(tmp_path: Path) -> None:
    surgery, one, two = (str(tmp_path / name) for name in ("b.mlir", "one.html", "two.html"))
    assert run(["compile", str(BELL), "--emit", "surgery", "-o", surgery]) == 0
    assert run(["view", str(BELL), "-o", one]) == 0
    assert run(["view", surgery, "-o", two]) == 0
    first, second = (data_of(Path(name).read_text()) for name in (one, two))
    assert first["title"] == "bell.qwasm"
    assert first["columns"]["joinSlab"] == second["columns"]["joinSlab"]
    assert first["figures"].items() >= second["figures"].items()


@pytest.mark.parametrize(
    ("x", "slab", "message"),
    [(5000, 0, "the chip has 5001 x 1 tiles"), (0, 10**9, "blocks")],
)
def test_what_is_too_large_is_refused(x: int, slab: int, message: str) -> None:
    builder = SurgeryBuilder()
    builder.add(Row.PREPARE, tile=(x, 0), aux=Letter.Z)
    builder.add(Row.MEASURE, tile=(x, 0), aux=Letter.Z, slab=slab)
    with pytest.raises(qwasmc.CompileError, match=message) as refused:
        space_time_svg(builder.freeze())
    assert refused.value.exit_code == 3


def test_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    surgery = hostile_program()
    for limit in ("scene.MAX_ROWS", "data.MAX_SOURCE"):
        with monkeypatch.context() as patch:
            patch.setattr(f"qwasmc.backends.view.{limit}", 0)
            with pytest.raises(qwasmc.CompileError) as refused:
                page_data(surgery, NO_SCHEDULE, {}, title="")
            assert refused.value.exit_code == 3


def test_program_without_rows() -> None:
    empty = SurgeryBuilder().freeze()
    assert data_of(page(page_data(empty, NO_SCHEDULE, {}, title="")))["slabs"] == 0
    ET.fromstring(slab_svg(empty, 0))
    ET.fromstring(space_time_svg(empty))


# -- drawings ----------------------------------------------------------------------------------


def count(drawing: str, name: str, **attributes: str) -> int:
    """How many elements of a drawing have these attributes."""
    found = ET.fromstring(drawing).iter(f"{{http://www.w3.org/2000/svg}}{name}")
    return sum(attributes.items() <= each.attrib.items() for each in found)


def test_slab_of_a_drawing() -> None:
    """Two patches with four boundaries each, and a bar between them that carries Z."""
    artifact = compiled(BELL)
    drawing = slab_svg(artifact.surgery, 0, artifact.trail.program)
    x_lines = count(drawing, "path", stroke=PALETTE["x"])
    z_lines = count(drawing, "path", stroke=PALETTE["z"])
    assert (x_lines, z_lines) == (4, 4 + 2)
    assert "qA" in drawing
    with pytest.raises(qwasmc.CompileError, match="there is no slab 2: there are 2"):
        slab_svg(artifact.surgery, 2)


def test_mixed_edges_and_twists_are_drawn() -> None:
    for name, join in JOINS.items():
        surgery = one_join(join)
        drawing = slab_svg(surgery, int(make_scene(surgery).joins.slab[0]))
        mixed = sum(edge.mixed for edge in join.edges)
        in_y = sum(term.letter == Letter.Y for term in join.terms)
        assert count(drawing, "rect", fill=PALETTE["mixed"]) == mixed, name
        assert count(drawing, "circle", fill=PALETTE["y"], r="7") == in_y, name


def test_drawings_escape_names() -> None:
    for drawing in (slab_svg(hostile_program(), 0), space_time_svg(hostile_program())):
        assert count(drawing, "script") == 0
        assert count(drawing, "img") == 0


def test_blocks_of_space_time() -> None:
    """Three faces for each slab of a patch, each route tile and each edge, and the ground."""
    surgery = compiled(MAGIC).surgery
    patches, joins = written(surgery)
    blocks = sum(last - first + 1 for _, first, last in patches)
    blocks += sum(len(route) + len(edges) for _, _, route, edges in joins)
    drawing = space_time_svg(surgery)
    assert count(drawing, "polygon") == 3 * blocks + 1
    mixed = sum("~" in edge for *_, edges in joins for edge in edges)
    assert count(drawing, "polygon", fill=PALETTE["mixed"]) == mixed
