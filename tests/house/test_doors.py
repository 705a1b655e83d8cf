"""The doors read requests, make one call and show the answer: no query, no write, no page without a permission."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOOR_FILES = sorted(
    path for door in ("portal", "api") for path in (ROOT / door).rglob("*.py") if "migrations" not in path.parts
)
# The machine's door has a table of its own (its clients) and a command that fills it.
OWN_TABLES = {"api/actions.py", "api/auth.py", "api/idempotency.py", "api/throttling.py"}


@pytest.mark.parametrize("path", DOOR_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_door_file_when_read_then_neither_queries_nor_writes_models(path: Path) -> None:
    relative = str(path.relative_to(ROOT))
    if relative in OWN_TABLES or "management" in path.parts:
        return
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr == "objects":
            found.append(f"{relative}:{node.lineno} .objects")
        # A model is saved without a positional argument; a workbook is saved into a file.
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "save":
            found += [] if node.args else [f"{relative}:{node.lineno} .save()"]
    assert found == []
