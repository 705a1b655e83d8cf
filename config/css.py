"""Builds `static/css/sekisho.css` and `admin.css` from `static_src/`: `python -m config.css [--check]`.

Plain CSS on the Digital Agency's design tokens; only the tokens that are used are kept. No Node is needed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SOURCE, TARGET = BASE_DIR / "static_src", BASE_DIR / "static" / "css"
PARTS = {"sekisho.css": ("base.css", "components.css", "print.css"), "admin.css": ("admin.css",)}


def build(name: str) -> str:
    """This function will join a file's parts behind the tokens they use, directly or through another token."""
    body = "\n".join((SOURCE / part).read_text().strip() for part in PARTS[name])
    tokens = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", (SOURCE / "tokens.css").read_text()))
    used: dict[str, str] = {}
    waiting = set(re.findall(r"var\((--[\w-]+)", body))
    while waiting:
        name = waiting.pop()
        if name in tokens and name not in used:
            used[name] = tokens[name]
            waiting |= set(re.findall(r"var\((--[\w-]+)", tokens[name]))
    lines = "".join(f"  {name}: {used[name]};\n" for name in sorted(used))
    return f"/* Built by `make css` from static_src/. */\n:root {{\n{lines}}}\n{body}\n"


def main() -> int:
    """This function will write the files, or with `--check` tell by its exit code whether they are fresh."""
    stale = [name for name in PARTS if not (TARGET / name).exists() or (TARGET / name).read_text() != build(name)]
    if "--check" in sys.argv:
        print(f"static/css is stale: run `make css` ({', '.join(stale)})" if stale else "static/css is fresh")
        return 1 if stale else 0
    for name in stale:
        (TARGET / name).write_text(build(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
