"""Redraws `docs/states.md` and `docs/entities.md` from the code: `python -m config.docs [--check]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"
APPS = ("accounts", "programs", "calls", "evaluations", "reporting", "common")


def machines() -> list[tuple[Any, dict[str, Any]]]:
    """This function will list every model with a state and its table of moves."""
    from evaluations.models import (
        Admission,
        Assignment,
        AssignmentRun,
        Case,
        Condition,
        ConflictOfInterest,
        Finding,
        GateDecision,
        GateReview,
        Objection,
        PanelMember,
        Round,
        Scenario,
        ScoreSheet,
    )
    from evaluations.states import (
        ADMISSION_MOVES,
        ASSIGNMENT_MOVES,
        CASE_MOVES,
        CONDITION_MOVES,
        CONFLICT_MOVES,
        DECISION_MOVES,
        FINDING_MOVES,
        GATE_REVIEW_MOVES,
        MEMBER_MOVES,
        OBJECTION_MOVES,
        ROUND_MOVES,
        RUN_MOVES,
        SCENARIO_MOVES,
        SHEET_MOVES,
    )
    from programs.models import (
        Advice,
        Allocation,
        Contract,
        DataManagementPlan,
        Deliverable,
        PlanVersion,
        PolicyVersion,
        Project,
        Risk,
    )
    from programs.states import (
        ADVICE_MOVES,
        ALLOCATION_MOVES,
        CONTRACT_MOVES,
        DATA_PLAN_MOVES,
        DELIVERABLE_MOVES,
        PLAN_MOVES,
        POLICY_MOVES,
        PROJECT_MOVES,
        RISK_MOVES,
    )
    from reporting.models import ProgressReport
    from reporting.states import REPORT_MOVES

    return [
        (Project, PROJECT_MOVES),
        (PlanVersion, PLAN_MOVES),
        (Allocation, ALLOCATION_MOVES),
        (Contract, CONTRACT_MOVES),
        (Risk, RISK_MOVES),
        (DataManagementPlan, DATA_PLAN_MOVES),
        (Deliverable, DELIVERABLE_MOVES),
        (PolicyVersion, POLICY_MOVES),
        (Advice, ADVICE_MOVES),
        (ConflictOfInterest, CONFLICT_MOVES),
        (Admission, ADMISSION_MOVES),
        (Round, ROUND_MOVES),
        (PanelMember, MEMBER_MOVES),
        (Scenario, SCENARIO_MOVES),
        (Case, CASE_MOVES),
        (Assignment, ASSIGNMENT_MOVES),
        (AssignmentRun, RUN_MOVES),
        (ScoreSheet, SHEET_MOVES),
        (Finding, FINDING_MOVES),
        (GateReview, GATE_REVIEW_MOVES),
        (GateDecision, DECISION_MOVES),
        (Condition, CONDITION_MOVES),
        (Objection, OBJECTION_MOVES),
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


def entities_page() -> str:
    """This function will draw one entity diagram per app: its own tables, and the ones of other apps they point at."""
    from django.apps import apps

    parts = [
        "# Entities",
        "",
        "Drawn from the models by `make docs`. A line leads from the table that holds the foreign key.",
    ]
    for app in APPS:
        lines = [line for model in apps.get_app_config(app).get_models() for line in _entity(model)]
        if lines:
            parts += [
                "",
                f"## {app}",
                "",
                "```mermaid",
                "erDiagram",
                *(f"  {line}" for line in sorted(set(lines))),
                "```",
            ]
    return "\n".join(parts) + "\n"


def _entity(model: Any) -> list[str]:
    if model._meta.auto_created:
        return []
    name = model.__name__
    lines = [f'{name}["{model._meta.app_label}.{name}"]']
    for field in model._meta.get_fields():
        if field.is_relation and field.concrete and field.related_model is not None:
            left = "|o" if field.one_to_one else "}o"
            right = "o|" if getattr(field, "null", False) else "o{" if field.many_to_many else "||"
            lines.append(f"{name} {left}--{right} {field.related_model.__name__} : {field.name}")
    return lines


PAGES: dict[str, Callable[[], str]] = {"states.md": states_page, "entities.md": entities_page}


def main() -> int:
    """This function will write the pages, or with `--check` tell by its exit code whether they are fresh."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    stale = 0
    for name, drawn in PAGES.items():
        target, page = DOCS / name, drawn()
        if "--check" not in sys.argv:
            target.write_text(page)
        elif not target.exists() or target.read_text() != page:
            print(f"docs/{name} is stale: run `make docs`")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
