"""The page in a browser: what it shows, what can be clicked, and that it keeps to itself.

`python tests/test_view_page.py` rewrites the pictures in tests/golden.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_view import HOSTILE, NO_SCHEDULE, compiled, hostile_page
from view_browser import CHROMIUM, Browser

from qwasmc.backends.view.data import page_data
from qwasmc.backends.view.page import page
from qwasmc.backends.view.palette import PALETTE
from qwasmc.commands.view import page_of
from qwasmc.ir.surgery import (
    Edge,
    Join,
    Letter,
    RouteTile,
    Row,
    Side,
    Surgery,
    SurgeryBuilder,
    Term,
    encode_join,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to open pages with"),
]

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
SIZE = (1200, 760)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser"), SIZE) as opened:
        yield opened


def magic_page(folder: Path) -> str:
    """The address of the page of the example with two T gates: lines 16 and 18."""
    path = folder / "magic.html"
    path.write_text(page_of(compiled(ROOT / "examples" / "magic.qwasm")))
    return path.as_uri()


@pytest.fixture(scope="module")
def magic(tmp_path_factory: pytest.TempPathFactory) -> str:
    return magic_page(tmp_path_factory.mktemp("magic"))


@pytest.fixture(autouse=True)
def quiet(browser: Browser) -> Iterator[None]:
    """No test may leave a word on the console, or make the page ask for another file."""
    browser.log.clear()
    browser.requests.clear()
    yield
    assert browser.log == []
    assert all(url.startswith(("about:", "file:")) for url in browser.requests)
    assert len({url for url in browser.requests if url.startswith("file:")}) <= 1


def text_of(browser: Browser, selector: str) -> str:
    return str(browser.value(f"document.querySelector('{selector}').textContent"))


def chosen_lines(browser: Browser) -> list[str]:
    """The numbers of the source lines that are highlighted."""
    return list(
        browser.value(
            "[...document.querySelectorAll('.line.chosen .number')].map((e) => e.textContent)"
        )
    )


def tile_middle(browser: Browser, x: int, y: int, chip: tuple[int, int]) -> tuple[float, float]:
    """Where a tile is on the page: the chip is in the middle, as large as fits."""
    left, top, width, height = browser.box("#plan")
    margin, (wide, high) = 26, chip
    size = min((width - 2 * margin) / wide, (height - 2 * margin) / high, 130)
    corner_x = left + (width - size * wide) / 2
    corner_y = top + (height - size * high) / 2
    return corner_x + (x + 0.5) * size, corner_y + (y + 0.5) * size


def pixels(png: bytes) -> np.ndarray:
    """(height, width, 3) the colours of a picture."""
    image = pytest.importorskip("PIL.Image", reason="pillow reads the pictures")
    return np.asarray(image.open(io.BytesIO(png)).convert("RGB"), dtype=np.int16)


# -- clicking ------------------------------------------------------------------------------------


def test_heading_and_slabs(browser: Browser, magic: str) -> None:
    browser.open(magic)
    assert text_of(browser, "h1") == "magic.qwasm"
    assert text_of(browser, "#slab-number") == "slab 0 of 0…4"
    for key, slab in (("ArrowRight", 1), ("End", 4), ("ArrowLeft", 3), ("Home", 0)):
        browser.key(key)
        assert text_of(browser, "#plan-slab") == f"slab {slab}"


def test_address_says_what_is_shown(browser: Browser, magic: str) -> None:
    browser.open(f"{magic}#slab=3&slabs=1-3&tab=figures")
    assert text_of(browser, "#plan-slab") == "slab 3"
    assert text_of(browser, "#space-slabs") == "slabs 1 to 3 of 0…4"
    assert "T states2" in text_of(browser, "#info")
    browser.open(f"{magic}#slab=99999999999&slabs=x-y&line=-1&tab=constructor")
    assert text_of(browser, "#plan-slab") == "slab 0"


def test_source_line_leads_to_its_operation(browser: Browser, magic: str) -> None:
    browser.open(magic)
    number = "[...document.querySelectorAll('.line.works')].find((e) => e.textContent.match(/t2:/))"
    browser.value(f"{number}.click()")
    browser.settle()
    assert chosen_lines(browser) == ["18"]
    assert text_of(browser, "#plan-slab") == "slab 2"
    assert text_of(browser, "#picked") == "line 18: 1 operation"
    events = "[...document.querySelectorAll('#info tr.chosen')].map((e) => e.textContent)"
    assert "measure X(q) · Z(magic state)18:8" in browser.value(events)
    browser.key("Escape")
    assert chosen_lines(browser) == []


def test_tile_leads_to_its_line(browser: Browser, magic: str) -> None:
    """In slab 2 the second T gate reaches q through tile (2, 2)."""
    browser.open(f"{magic}#slab=2")
    at = tile_middle(browser, 2, 2, (4, 6))
    browser.mouse("mouseMoved", *at)
    browser.settle()
    assert "route on tile (2,2)" in text_of(browser, "#tip")
    assert "magic.qwasm:18:8" in text_of(browser, "#tip .where")
    assert "APPLY_T" in text_of(browser, "#tip code")
    browser.click(*at)
    assert chosen_lines(browser) == ["18"]


def test_block_leads_to_its_line(browser: Browser, magic: str) -> None:
    """Only the second T gate has a mixed edge, so a block in that colour belongs to it."""
    browser.open(f"{magic}#slab=4")
    left, top, *_ = browser.box("#space")
    picture = pixels(browser.screenshot("#space"))
    wanted = [int(PALETTE["mixed"][at : at + 2], 16) for at in (1, 3, 5)]
    found = np.argwhere(np.abs(picture - wanted).max(axis=2) < 12)
    assert len(found) > 20
    y, x = found[len(found) // 2].tolist()
    browser.click(left + x, top + y)
    assert chosen_lines(browser) == ["18"]
    assert text_of(browser, "#picked") == "route in slab 2: measure X(q) · Z(magic state)"
    assert text_of(browser, "#plan-slab") == "slab 2"


def test_timeline_moves_to_a_slab(browser: Browser, magic: str) -> None:
    browser.open(magic)
    left, top, width, height = browser.box("#timeline")
    browser.click(left + width - 30, top + height / 2)
    assert text_of(browser, "#plan-slab") == "slab 4"
    browser.mouse("mouseWheel", left + width - 30, top + height / 2, deltaX=0, deltaY=-200)
    browser.settle()
    assert text_of(browser, "#space-slabs") == "slabs 1 to 4 of 0…4"


def test_blocks_turn_and_come_nearer(browser: Browser, magic: str) -> None:
    browser.open(magic)
    left, top, width, height = browser.box("#space")
    middle = left + width / 2, top + height / 2
    before = pixels(browser.screenshot("#space"))
    browser.mouse("mousePressed", *middle, button="left", clickCount=1)
    browser.mouse("mouseMoved", middle[0] + 90, middle[1] + 30, button="left", buttons=1)
    browser.mouse("mouseReleased", middle[0] + 90, middle[1] + 30, button="left", clickCount=1)
    browser.settle()
    turned = pixels(browser.screenshot("#space"))
    browser.mouse("mouseWheel", *middle, deltaX=0, deltaY=-200)
    browser.settle()
    nearer = pixels(browser.screenshot("#space"))
    assert (before != turned).any()
    # The background is white; nearer blocks cover more of it.
    assert (nearer.min(axis=2) < 200).sum() > 1.2 * (turned.min(axis=2) < 200).sum()


# -- untrusted input -------------------------------------------------------------------------------


def test_hostile_input_is_text(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "hostile.html").write_text(hostile_page())
    browser.open((tmp_path / "hostile.html").as_uri())
    assert text_of(browser, "h1") == HOSTILE
    assert HOSTILE in text_of(browser, "#lines")
    assert browser.value("document.querySelectorAll('img').length") == 0
    assert browser.value("document.querySelectorAll('script').length") == 1


VIOLATION = """new Promise((go) => {
  document.addEventListener("securitypolicyviolation", (event) => go(event.effectiveDirective));
  %s
})"""


@pytest.mark.parametrize(
    ("attempt", "directive"),
    [
        ("fetch('http://localhost:9/').catch(() => 0);", "connect-src"),
        ("new Image().src = 'http://localhost:9/';", "img-src"),
        (
            "document.body.append(document.createElement('script')); "
            "document.querySelector('script:last-child').textContent = '1';",
            "script-src-elem",
        ),
    ],
)
def test_policy_forbids_all_else(
    browser: Browser, magic: str, attempt: str, directive: str
) -> None:
    browser.open(magic)
    assert browser.value(VIOLATION % attempt) == directive
    browser.log.clear()  # the browser says so there, too
    browser.requests.clear()  # it lists what it then blocks


# -- pictures --------------------------------------------------------------------------------------

PICTURES = {"plan": "#plan", "space": "#space", "timeline": "#timeline"}


WITHOUT_TEXT = """
CanvasRenderingContext2D.prototype.fillText = () => 0;
CanvasRenderingContext2D.prototype.strokeText = () => 0;
document.querySelector("%s").style.cssText =
  "position: fixed; inset: 0 auto auto 0; width: 480px; height: 480px; background: white";
"""
"""Fonts differ from machine to machine, and with them the sizes of boxes."""


def picture_of(browser: Browser, magic: str, selector: str) -> bytes:
    browser.open(f"{magic}#slab=1")
    browser.value(WITHOUT_TEXT % selector)
    browser.settle()
    browser.key("ArrowRight")
    return browser.screenshot(selector)


def reduced(picture: np.ndarray, factor: int = 6) -> np.ndarray:
    """The mean colours of squares of pixels."""
    high, wide = (size // factor * factor for size in picture.shape[:2])
    squares = picture[:high, :wide].reshape(high // factor, factor, wide // factor, factor, 3)
    return squares.mean(axis=(1, 3))


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_as_they_were(browser: Browser, magic: str, name: str) -> None:
    """But for one square in a thousand."""
    now = pixels(picture_of(browser, magic, PICTURES[name]))
    then = pixels((GOLDEN / f"view-{name}.png").read_bytes())
    assert now.shape == then.shape
    differ = np.abs(reduced(now) - reduced(then)).max(axis=2) > 32
    assert differ.mean() < 1 / 1000


# -- size ------------------------------------------------------------------------------------------


def tall_program(slabs: int, patches: int = 5) -> Surgery:
    """Pairs of patches that are joined by a route of three tiles in every slab."""
    builder = SurgeryBuilder()
    z = Letter.Z
    tiles = [(2 * i, y) for i in range(patches) for y in (0, 4)]
    for tile in tiles:
        builder.add(Row.PREPARE, tile=tile, aux=z)
    for slab in range(slabs):
        for i in range(patches):
            x = 2 * i
            route = tuple(RouteTile((x, y), z) for y in (1, 2, 3))
            edges = tuple(Edge((x, y), Side.S, False) for y in range(4))
            join = Join((Term((x, 0), z), Term((x, 4), z)), route, edges)
            builder.add(Row.JOIN, slab=slab, operands=encode_join(join))
    for tile in tiles:
        builder.add(Row.MEASURE, tile=tile, slab=slabs - 1, aux=z)
    return builder.freeze()


def test_ten_thousand_slabs(browser: Browser, tmp_path: Path) -> None:
    slabs = 10_000
    start = time.perf_counter()
    text = page(page_data(tall_program(slabs), NO_SCHEDULE, {}, title="tall"))
    (tmp_path / "tall.html").write_text(text)
    print(f"\n{len(text) / 1e6:.1f} MB, written in {time.perf_counter() - start:.2f} s")
    browser.open((tmp_path / "tall.html").as_uri())
    paint = "performance.getEntriesByType('paint')[0].startTime"
    print(f"first paint after {browser.value(paint):.0f} ms")
    browser.value(TIMED)
    for _ in range(10):
        browser.key("ArrowRight")
    steps = [step for step in browser.value("frames") if step > 0.5]
    print(f"a step takes {np.median(steps):.1f} ms of the page's time")
    assert text_of(browser, "#plan-slab") == "slab 10"
    browser.key("End")
    assert text_of(browser, "#plan-slab") == f"slab {slabs - 1}"
    _, first, _, last, *_ = text_of(browser, "#space-slabs").split()
    assert int(last) == slabs - 1
    assert int(first) > 0, "not all blocks at once"


TIMED = """window.frames = [];
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => ask((now) => {
  const start = performance.now();
  draw(now);
  window.frames.push(performance.now() - start);
});
undefined"""


def main() -> None:
    """Rewrite the pictures."""
    with tempfile.TemporaryDirectory() as name, Browser(Path(name), SIZE) as browser:
        magic = magic_page(Path(name))
        for picture, selector in PICTURES.items():
            (GOLDEN / f"view-{picture}.png").write_bytes(picture_of(browser, magic, selector))


if __name__ == "__main__":
    main()
