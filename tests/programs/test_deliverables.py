"""Deliverables: awaited once, due as the schedule says, delivered once and for all."""

from datetime import date, datetime

import pytest

from common.actors import SYSTEM
from common.audit import history_of
from common.errors import IllegalMove
from common.fiscal_year import JAPAN
from programs.actions.deliverables import await_deliverable, mark_delivered
from programs.models import Deliverable

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 3, 9, 0, tzinfo=JAPAN)
WHAT = {"kind": "annual_report", "fiscal_year": 2040, "by": SYSTEM, "at": AT}


def told(project):
    return [row.action for row in history_of(project).filter(at=AT).order_by("pk")]


def test_deliverable_when_awaited_twice_then_one_row_and_the_day_follows_the_schedule(twin):
    project = twin["sample-ql1-b1"]
    first = await_deliverable(project, due_on=date(2041, 5, 31), **WHAT)
    assert await_deliverable(project, due_on=date(2041, 5, 31), **WHAT) == first
    moved = await_deliverable(project, due_on=date(2041, 6, 30), **WHAT)
    assert (moved.pk, moved.due_on) == (first.pk, date(2041, 6, 30))
    assert told(project) == ["await_deliverable", "await_deliverable"]


def test_deliverable_when_delivered_then_hash_and_source_stay_for_good(twin):
    project = twin["sample-ql1-b1"]
    awaited = await_deliverable(project, due_on=date(2041, 5, 31), **WHAT)
    mark_delivered(awaited, source_ref="RPT-1", content_hash="a" * 64, by=SYSTEM, at=AT)
    with pytest.raises(IllegalMove):
        mark_delivered(awaited, source_ref="RPT-2", content_hash="b" * 64, by=SYSTEM, at=AT)
    kept = Deliverable.objects.get(pk=awaited.pk)
    assert (kept.state, kept.source_ref, kept.content_hash, kept.delivered_at) == (
        "delivered", "RPT-1", "a" * 64, AT,
    )  # fmt: skip
    assert await_deliverable(project, due_on=date(2042, 5, 31), **WHAT).due_on == date(2041, 5, 31)
    assert told(project) == ["await_deliverable", "mark_delivered"]
