"""Who may import whom; see "Layers" in CONTRIBUTING.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "compiler": "qwasmc",
    **{name: f"qwasmc.{name}" for name in ("grammar", "passes", "backends")},
}

LAYERS = [
    {"qwasmc"},
    {"qwasmc.diagnostics", "qwasmc.ops"},
    {
        "qwasmc.output",
        "qwasmc.response",
        "qwasmc.sarif",
        "qwasmc.scalars",
        "qwasmc.languages",
        "qwasmc.formats",
        "qwasmc.counts",
        "qwasmc.kernel",
        "qwasmc.workers",
        "qwasmc.cluster",
    },
    {"qwasmc.ir"},
    {
        "qwasmc.text",
        "qwasmc.verify",
        "qwasmc.target",
        "qwasmc.logical",
        "qwasmc.gf2",
        "qwasmc.cost",
        "qwasmc.controlled",
        "qwasmc.rules",
    },
    {"qwasmc.columns"},
    {"qwasmc.grammar", "qwasmc.passes", "qwasmc.backends"},
    {"qwasmc.pipeline", "qwasmc.store", "qwasmc.versions"},
    {"qwasmc.options"},
    {"qwasmc.reading"},
    {"qwasmc.cache"},
    {"qwasmc.manifest"},
    {"qwasmc.approval"},
    {"qwasmc.running"},
    {"qwasmc.artifact", "qwasmc.fitting"},
    {"qwasmc.validation"},
    {"qwasmc.driver", "qwasmc.sampling", "qwasmc.jobs"},
    {"qwasmc.estimate", "qwasmc.learning", "qwasmc.shadow"},
    {"qwasmc.notebook"},
    {"qwasmc.api", "qwasmc.commands"},
    {"qwasmc.cli"},
    {"qwasmc.__main__"},
]
"""From the bottom up.  What shares a layer is blind to each other."""

LATE = {"compiler/pipeline.py", "compiler/__init__.py"}
"""Where modules may be imported by name."""


def files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    folder, *rest = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([FOLDERS[folder], *(part for part in rest if part != "__init__")])


MODULES = {module_of(path) for path in files()}


def layer_of(module: str) -> tuple[int, str]:
    """The number of a module's layer and the unit of that layer it belongs to."""
    for number, layer in reversed(list(enumerate(LAYERS))):
        for unit in layer:
            if module == unit or (unit != "qwasmc" and module.startswith(unit + ".")):
                return number, unit
    raise LookupError(f"{module} is in no layer")


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of qwasmc that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("qwasmc"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qwasmc"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_lower_layers(path: Path):
    number, unit = layer_of(module_of(path))
    for module in imported(ast.parse(path.read_text())):
        if path.name == "__init__.py" and unit == "qwasmc":
            continue  # the API, for type checkers only
        lower, other = layer_of(module)
        assert lower < number or other == unit, f"{unit} imports {module}"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_stand_at_the_top_and_are_absolute(path: Path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            late = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not late, f"{node.name} imports late; resolve it in the pipeline instead"


def test_only_the_pipeline_imports_by_name():
    users = {
        str(path.relative_to(ROOT))
        for path in files()
        if {"import_module", "__import__"}
        & {
            name.attr if isinstance(name, ast.Attribute) else name.id
            for name in ast.walk(ast.parse(path.read_text()))
            if isinstance(name, ast.Attribute | ast.Name)
        }
    }
    assert users <= LATE
