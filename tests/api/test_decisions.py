"""Clients see gate reviews and decisions from the instant of their release, nothing of a draft."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from evaluations.actions.releases import release_decisions
from programs.models import Project
from tests.api.conftest import Machine
from tests.factories.decisions import F1, F2, F3, condition, decided, recommended, released

pytestmark = pytest.mark.django_db


def test_decision_when_released_then_shown_and_not_before(
    machine: Machine, cast: Any, twin: dict[str, Project]
) -> None:
    review = recommended(cast, twin, F1).reviews[F1]
    made = decided(cast, review, conditions=[condition()])
    for path in (f"decisions/{made.ref}/", f"gate-reviews/{review.ref}/"):
        assert machine.get(path).status_code == 404
    assert machine.json("decisions/")["results"] == machine.json("gate-reviews/")["results"] == []
    release_decisions([made], by=cast["staff1"], at=timezone.now())
    found = machine.json(f"decisions/{made.ref}/")
    names = ("gate_review", "project", "outcome", "state", "number", "corrects", "plan")
    assert {name: found[name] for name in names} == {
        "gate_review": review.ref, "project": F1, "outcome": "continue", "state": "released", "number": made.number,
        "corrects": None, "plan": None,
    }  # fmt: skip
    assert [(one["state"], one["owner"]) for one in found["conditions"]] == [("open", "team")]
    assert found in machine.json("decisions/", {"project": F1, "outcome": "continue"})["results"]
    told = machine.json(f"gate-reviews/{review.ref}/")
    assert (told["state"], told["project"]) == ("released", F1)
    text = str(found) + str(told)
    for name in ("staff1", "staff2", "chair1"):
        assert cast[name].person.name_ja not in text


def test_decisions_when_there_are_more_then_the_queries_are_the_same(
    machine: Machine, cast: Any, twin: dict[str, Project]
) -> None:
    made = recommended(cast, twin, F1, F2, F3)
    counts = []
    for noun in ("decisions", "gate-reviews"):
        machine.json(f"{noun}/")
    for done, ref in enumerate((F1, F2, F3), 1):
        released(cast, made.reviews[ref], conditions=[condition()])
        if done in (1, 3):
            for noun in ("decisions", "gate-reviews"):
                with CaptureQueriesContext(connection) as seen:
                    assert len(machine.json(f"{noun}/")["results"]) == done
                counts.append((noun, len(seen)))
    assert counts[:2] == counts[2:]
