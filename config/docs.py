"""Redraws `docs/states.md` from the tables of moves: `python -m config.docs [--check]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "docs" / "states.md"


def machines() -> list[tuple[type, dict]]:
    """This function will list every model with a state and its table of moves."""
    from evaluations.models import ConflictOfInterest
    from evaluations.states import CONFLICT_MOVES
    from programs.models import Deliverable, Project
    from programs.states import DELIVERABLE_MOVES, PROJECT_MOVES
    from reporting.models import ProgressReport
    from reporting.states import REPORT_MOVES

    return [
        (Project, PROJECT_MOVES),
        (Deliverable, DELIVERABLE_MOVES),
        (ConflictOfInterest, CONFLICT_MOVES),
        (ProgressReport, REPORT_MOVES),
    ]


def states_page() -> str:
    """This function will draw the page: per machine its values in both languages, its moves and a diagram."""
    from django.utils import translation

    parts = [
        "# States and moves",
        "",
        "Drawn from the tables in `*/states.py` by `make docs`. `common.states.move` is the only writer of a state; a",
        "trigger in the database refuses every other edge, also in raw SQL.",
    ]
    for model, table in machines():
        field = model._meta.get_field("state")
        parts += ["", f"## {model.__name__}", "", "| value | 日本語 | English |", "|---|---|---|"]
        for value, label in field.choices:
            with translation.override("ja"):
                ja = str(label)
            with translation.override("en"):
                en = str(label)
            parts.append(f"| `{value}` | {ja} | {en} |")
        parts += ["", "| move | from | to |", "|---|---|---|"]
        parts += [
            f"| {name} | {', '.join(f'`{s}`' for s in sorted(step.sources))} | `{step.target}` |"
            for name, step in table.items()
        ]
        parts += ["", "```mermaid", "stateDiagram-v2", f"  [*] --> {field.default}"]
        parts += [
            f"  {source} --> {step.target}: {name}" for name, step in table.items() for source in sorted(step.sources)
        ]
        parts.append("```")
    return "\n".join(parts) + "\n"


def main() -> int:
    """This function will write the page, or with `--check` tell by its exit code whether it is fresh."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    page = states_page()
    if "--check" in sys.argv:
        fresh = TARGET.exists() and TARGET.read_text() == page
        print("docs/states.md is fresh" if fresh else "docs/states.md is stale: run `make docs`")
        return 0 if fresh else 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
