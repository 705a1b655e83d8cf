"""The sample twin's education program and challenge goals; every name and number in them is made up and says so."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import Organization, User
from programs.actions.kinds import save_of_kind
from programs.models import (
    AdoptingInstitution,
    ChallengeGoal,
    LearnerCount,
    Project,
    TrainingModule,
    TrainingProgram,
)
from reporting.sample_records import sample_data


def record_education(*, by: User, at: datetime) -> int:
    """This function will enter the education programs, once; returns how many records it made."""
    made = 0
    for ref, row in sample_data("sample_kinds.json")["education"].items():
        project = Project.objects.get(ref=ref)
        if not TrainingProgram.objects.filter(project=project).exists():
            made += _program(project, row, {"by": by, "at": at})
    return made


def _program(project: Project, row: dict[str, Any], how: dict[str, Any]) -> int:
    names = {name: row[name] for name in ("name_ja", "name_en", "aim")}
    training = save_of_kind(project, TrainingProgram, values=names, **how)
    modules = []
    for name_ja, name_en, kind, level, hours in row["modules"]:
        values = {"training": training, "name_ja": name_ja, "name_en": name_en, "kind": kind, "level": level}
        modules.append(save_of_kind(project, TrainingModule, values=values | {"hours": Decimal(hours)}, **how))
    for year, kind, number in row["learners"]:
        values = {"training": training, "fiscal_year": year, "kind": kind, "number": number}
        save_of_kind(project, LearnerCount, values=values, **how)
    for name, ref, year, taken in row["adopters"]:
        organization = Organization.objects.get(ref=ref) if ref else None
        values = {"training": training, "organization": organization, "name": name, "since_fiscal_year": year}
        save_of_kind(
            project, AdoptingInstitution, values=values | {"modules": [modules[index] for index in taken]}, **how
        )
    return 1 + len(modules) + len(row["learners"]) + len(row["adopters"])


def record_goals(*, by: User, at: datetime) -> int:
    """This function will enter the challenge goals, once; returns how many."""
    made = 0
    for ref, rows in sample_data("sample_kinds.json")["goals"].items():
        project = Project.objects.get(ref=ref)
        if ChallengeGoal.objects.filter(project=project).exists():
            continue
        for text, due_on, achieved_on, shown_by in rows:
            values = {"text": text, "due_on": date.fromisoformat(due_on), "shown_by": shown_by}
            values["achieved_on"] = date.fromisoformat(achieved_on) if achieved_on else None
            save_of_kind(project, ChallengeGoal, values=values, by=by, at=at)
            made += 1
    return made
