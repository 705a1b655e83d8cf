"""Builds `static/css/sekisho.css` from `static_src/`: `python -m config.css [--check]`.

Plain CSS on the Digital Agency's design tokens; only the tokens that are used are kept. No Node is needed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SOURCE, TARGET = BASE_DIR / "static_src", BASE_DIR / "static" / "css" / "sekisho.css"
PARTS = ("base.css", "components.css", "print.css")


def build() -> str:
    """This function will join the parts behind the tokens they use, directly or through another token."""
    body = "\n".join((SOURCE / part).read_text().strip() for part in PARTS)
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
    """This function will write the file, or with `--check` tell by its exit code whether it is fresh."""
    css = build()
    if "--check" in sys.argv:
        fresh = TARGET.exists() and TARGET.read_text() == css
        print("static/css/sekisho.css is fresh" if fresh else "static/css/sekisho.css is stale: run `make css`")
        return 0 if fresh else 1
    TARGET.write_text(css)
    return 0


if __name__ == "__main__":
    sys.exit(main())
