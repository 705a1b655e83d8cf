"""Writes requirements*.txt, pinned with hashes, from requirements*.in: `python -m config.lock` (needs `uv`)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(\[[^\]]*\])?==")


def reasons(source: Path) -> dict[str, str]:
    """This function will read what each direct dependency is for from its comment."""
    found = {}
    for line in source.read_text().splitlines():
        match = re.match(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?(?:[=<>!~][^#]*)?\s*#\s*(.+)$", line)
        if match:
            found[match[1].lower()] = match[2]
    return found


def lock(name: str) -> None:
    """This function will compile one file and put the reason above each direct dependency."""
    source, target = BASE_DIR / f"{name}.in", BASE_DIR / f"{name}.txt"
    text = subprocess.run(
        [
            "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
            "--no-emit-index-url", "--no-header", "--annotation-style", "line", source.name,
        ],
        cwd=BASE_DIR, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    why = reasons(source)
    lines = [f"# Written by `make lock` from {source.name}: exact pins with hashes, and what each direct one is for."]
    if name != "requirements":
        lines.append("-r requirements.txt")
    shared = set()
    if name != "requirements":
        shared = {m[1].lower() for m in map(PIN.match, (BASE_DIR / "requirements.txt").read_text().splitlines()) if m}
    skipping = False
    for line in text.splitlines():
        match = PIN.match(line)
        if match:
            skipping = match[1].lower() in shared
            if not skipping and match[1].lower() in why:
                lines.append(f"# {match[1]}: {why[match[1].lower()]}")
        if not skipping:
            via = re.sub(r"(, )?-[cr] \S+", "", line) if line.lstrip().startswith("# via") else line
            if via.strip() != "# via":
                lines.append(re.sub(r"# via , ", "# via ", via))
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    for each in sys.argv[1:] or ["requirements", "requirements-dev"]:
        lock(each)
