"""Imports point one way: the table in ARCHITECTURE.md is the truth, the source is read with ast."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "fitwell"


def levels() -> dict[str, int]:
    table = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| (\d+) \| `([a-z_ ]+)` \|", table, re.MULTILINE)
    return {name: int(level) for level, names in rows for name in names.split()}


def imports(path: Path) -> set[str]:
    """The modules of fitwell, one level deep, that a file imports anywhere."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fitwell"):
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("fitwell.")}
    return found


MODULES = sorted(p for p in SOURCE.rglob("*.py") if p != SOURCE / "__init__.py")


def own_module(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_every_module_has_a_level_and_every_level_a_module() -> None:
    assert {own_module(path) for path in MODULES} == set(levels())


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_imports_only_from_lower_levels(path: Path) -> None:
    known, own = levels(), own_module(path)
    # __version__ and the like live in the package itself.
    names = {name for name in imports(path) if name in known and name != own}
    wrong = {name: known[name] for name in names if known[name] >= known[own]}
    assert not wrong, f"{own} (level {known[own]}) imports {wrong}"


def test_no_family_of_layers_imports_another() -> None:
    for path in (SOURCE / "layers").glob("*.py"):
        if path.stem in ("__init__", "base", "naming", "symbols"):  # what all of them stand on
            continue
        inner = re.findall(r"^\s*from fitwell\.layers\.?(\w*) import", path.read_text(), re.M)
        assert set(inner) <= {"base"}, path.name


def test_import_is_lean() -> None:
    """Heavy packages are imported where they are used: `import fitwell` does not need them."""
    code = "import sys, fitwell; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    heavy = {
        "optax",
        "matplotlib",
        "polars",
        "pandas",
        "sklearn",
        "pyarrow",
        "scipy.stats",
        "rich",
        "typer",
    }
    assert not loaded & heavy


def test_no_file_is_outsized() -> None:
    """A screenful or two per idea; the bound is the house rule with a little room."""
    sizes = {str(p.relative_to(SOURCE)): len(p.read_text().splitlines()) for p in MODULES}
    assert {name: n for name, n in sizes.items() if n > 330} == {}
