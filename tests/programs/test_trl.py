"""Levels: claimed by the project, assessed by the director; what is in the way is said field by field."""

from datetime import date, datetime

import pytest
from django.utils import translation

from common.audit import history_of
from common.errors import NotAllowed, NotReady
from common.fiscal_year import JAPAN
from programs.actions.trl import assess_trl, claim_trl
from programs.models import TrlAssessment, TrlLevel, TrlScale

pytestmark = pytest.mark.django_db

#: 2026-06-04 in Japan, still the 3rd in UTC.
AT = datetime(2026, 6, 4, 1, 0, tzinfo=JAPAN)


@pytest.fixture
def flagship(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def level5(twin):
    return TrlLevel.objects.get(scale__is_default=True, number=5)


def test_claim_and_assessment_are_two_values_each_with_evidence_and_journal(cast, flagship, level5):
    claim_trl(flagship, level=level5, on=date(2026, 6, 4), evidence=" 試作機の記録\r\n", by=cast["pi1"], at=AT)
    level4 = TrlLevel.objects.get(scale__is_default=True, number=4)
    assess_trl(flagship, level=level4, on=date(2026, 6, 4), evidence="現地確認", by=cast["pd1"], at=AT)
    rows = TrlAssessment.objects.filter(project=flagship, on=date(2026, 6, 4)).order_by("kind")
    assert list(rows.values_list("kind", "level__number", "evidence", "by_label")) == [
        ("assessed", 4, "現地確認", cast["pd1"].person.name_ja),
        ("claimed", 5, "試作機の記録", cast["pi1"].person.name_ja),
    ]
    newest = history_of(flagship).filter(at=AT).order_by("pk")
    assert [(row.action, row.actor_id, row.before, row.after) for row in newest] == [
        ("claim_trl", str(cast["pi1"].pk), {"level": 5}, {"level": 5, "on": "2026-06-04", "evidence": "試作機の記録"}),
        ("assess_trl", str(cast["pd1"].pk), {"level": 5}, {"level": 4, "on": "2026-06-04", "evidence": "現地確認"}),
    ]


@pytest.mark.parametrize(
    ("act", "name"),
    [(claim_trl, "pd1"), (claim_trl, "coinvestigator1"), (claim_trl, "pi2"), (claim_trl, "staff1"),
     (assess_trl, "pi1"), (assess_trl, "po1"), (assess_trl, "pd2"), (assess_trl, "auditor1"),
     (assess_trl, "evaluator1")],
)  # fmt: skip
def test_level_when_the_role_does_not_allow_it_then_refused_and_nothing_is_written(cast, flagship, level5, act, name):
    before = TrlAssessment.objects.count()
    with pytest.raises(NotAllowed):
        act(flagship, level=level5, on=date(2026, 6, 1), evidence="記録", by=cast[name], at=AT)
    assert TrlAssessment.objects.count() == before


def test_level_when_several_things_are_in_the_way_then_all_are_named(cast, flagship):
    other = TrlScale.objects.create(ref="other", name_ja="別の尺度")
    level = TrlLevel.objects.create(scale=other, number=5, name_ja="段階5")
    with pytest.raises(NotReady) as refusal, translation.override("en"):
        claim_trl(flagship, level=level, on=date(2026, 6, 5), evidence=" \n", by=cast["pi1"], at=AT)
    assert [(blocker.field, blocker.code, blocker.message) for blocker in refusal.value.blockers] == [
        ("level", "other_scale", "Choose a level of the scale in force."),
        ("on", "future", "Enter today or an earlier day: a level is recorded when it is reached."),
        ("evidence", "required", "Enter the evidence."),
    ]


def test_level_when_the_day_has_one_already_then_refused_for_that_kind_only(cast, flagship, level5):
    day = {"on": date(2026, 6, 3), "evidence": "記録", "at": AT}
    claim_trl(flagship, level=level5, by=cast["pi1"], **day)
    with pytest.raises(NotReady) as refusal:
        claim_trl(flagship, level=level5, by=cast["hq1"], **day)
    assert [(blocker.field, blocker.code) for blocker in refusal.value.blockers] == [("on", "already_recorded")]
    assess_trl(flagship, level=level5, by=cast["pd1"], **day)
