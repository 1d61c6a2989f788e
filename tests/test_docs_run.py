"""Every command and every Python block of the documentation runs, and prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_pages import ROOT, blocks, furnish, pages, run_page

EVERY_DAY = {"README.md"}
"""Pages that take no more than a few seconds; the others are slow."""


def cases() -> list[object]:
    """The pages that have something to run."""
    names = [page.relative_to(ROOT).as_posix() for page in pages() if blocks(page.read_text())]
    marks = [() if name in EVERY_DAY else pytest.mark.slow for name in names]
    return [pytest.param(name, marks=mark) for name, mark in zip(names, marks, strict=True)]


@pytest.mark.parametrize("name", cases())
def test_page_runs(name: str, tmp_path: Path, recwarn: pytest.WarningsRecorder):
    furnish(tmp_path)
    run_page((ROOT / name).read_text(), tmp_path)


# -- the runner ------------------------------------------------------------------------------------


def page(*parts: str) -> str:
    return "\n\n".join(parts)


def block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def test_blocks_run_in_order_and_share_a_folder_and_variables(tmp_path: Path):
    make = block("sh", "echo 1 > a")
    look = block("python", "a = open('a').read()\nprint(a, end='')"), block("text", "1")
    again = block("python", "print(a * 2, end='')"), block("text", "1\n1")
    run_page(page(make, *look, "Then:", *again), tmp_path)


def test_output_may_be_left_out_in_part(tmp_path: Path):
    run_page(page(block("sh", "echo 1 7 3; echo 4 >&2"), block("text", "1 ... 3\n4")), tmp_path)


def test_hidden_commands_run(tmp_path: Path):
    run_page(page("<!-- run: echo 1 > a -->", block("sh", "cat a"), block("text", "1")), tmp_path)


@pytest.mark.parametrize("code", [0, 3])
def test_exit_code_is_compared(tmp_path: Path, code: int):
    text = page(f"<!-- exit code {code} -->", block("sh", "exit 3"))
    if code == 3:
        run_page(text, tmp_path)
    else:
        with pytest.raises(AssertionError, match="line 4 ends with 3, not 0"):
            run_page(text, tmp_path)


@pytest.mark.parametrize("wrong", ["2", "1\n2", "11"])
def test_output_is_compared(tmp_path: Path, wrong: str):
    with pytest.raises(AssertionError, match="prints"):
        run_page(page(block("sh", "echo 1"), block("text", wrong)), tmp_path)


def test_numbers_may_vary_and_words_may_not(tmp_path: Path):
    prints = "<!-- numbers vary -->", block("sh", "echo 'rate   2e-3, 17 of 30'")
    run_page(page(*prints, block("text", "rate 0.001, 9 of 100")), tmp_path)
    with pytest.raises(AssertionError, match="prints"):
        run_page(page(*prints, block("text", "rate 0.001, 9 in 100")), tmp_path)


def test_blocks_whose_module_is_missing_do_not_run(tmp_path: Path):
    fails = block("sh", "false")
    run_page(page("<!-- needs no_such_module -->", fails), tmp_path)
    with pytest.raises(AssertionError, match="ends with 1"):
        run_page(page("<!-- needs re -->", fails), tmp_path)


def test_first_command_that_fails_ends_a_block(tmp_path: Path):
    with pytest.raises(AssertionError, match="ends with 1"):
        run_page(block("sh", "false\ntrue"), tmp_path)


def test_comments_are_about_the_next_block(tmp_path: Path):
    both = "<!-- numbers vary -->\n<!-- exit code 3 -->\n" + block("sh", "echo 2; exit 3")
    run_page(page(both, block("text", "1")), tmp_path)
    with pytest.raises(AssertionError, match="ends with 3"):
        run_page(page("<!-- exit code 3 -->", "Text.", block("sh", "exit 3")), tmp_path)


def test_blocks_that_are_not_run_say_why(tmp_path: Path):
    run_page(page("<!-- not run: it fails -->", block("sh", "false")), tmp_path)
    with pytest.raises(AssertionError, match="why"):
        blocks(page("<!-- not run: -->", block("sh", "false")))
