"""Levels: claimed with evidence by criterion, assessed by another person; what is in the way is said field by field."""

import io
from datetime import date, datetime

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import translation

from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused
from common.fiscal_year import JAPAN
from programs.actions.recusals import recuse
from programs.actions.trl import assess_trl, claim_trl
from programs.models import (
    Deliverable,
    Milestone,
    ProjectMember,
    TrlAssessment,
    TrlCriterion,
    TrlEvidence,
    TrlJudgement,
    TrlLevel,
    TrlScale,
)
from programs.overviews import claims_to_assess
from programs.queries.trl import evidence_visible_to, planned_levels, projects_on_board, trl_records, trl_visible_to
from programs.rules.trl import Evidence, Judgement, criteria_judged, newest_claim
from tests.cast import again
from tests.common.test_files import PNG
from tests.factories.levels import judged, level_of, shown

pytestmark = pytest.mark.django_db

#: 2026-06-04 in Japan, still the 3rd in UTC.
AT = datetime(2026, 6, 4, 1, 0, tzinfo=JAPAN)
DAY = date(2026, 6, 4)


@pytest.fixture
def flagship(twin):
    return twin["sample-ql1-f1"]


def claim(project, user, number=6, text="試作機の記録", on=DAY):
    level = level_of(number)
    return claim_trl(project, level=level, on=on, evidence=shown(project, number, text), by=user, at=AT)


def assess(project, user, number=6, failed=(), on=DAY, text="現地確認"):
    said = judged(project, failed)
    return assess_trl(project, level=level_of(number), on=on, evidence=text, judgements=said, by=user, at=AT)


def test_scale_when_loaded_then_each_level_has_its_own_wording_as_criterion(cast):
    rows = TrlCriterion.objects.filter(level__scale__is_default=True).select_related("level")
    assert [(one.level.number, one.position) for one in rows] == [(number, 1) for number in range(1, 10)]
    assert all((one.name_ja, one.name_en) == (one.level.name_ja, one.level.name_en) for one in rows)


def test_claim_and_assessment_are_two_values_each_with_evidence_and_journal(cast, flagship):
    claimed = claim(flagship, cast["pi1"], text=" 試作機の記録\r\n")
    assessed = assess(flagship, cast["pd1"], 5, failed=[6])
    rows = TrlAssessment.objects.filter(project=flagship, on=DAY).order_by("kind")
    assert list(rows.values_list("kind", "level__number", "evidence", "by_label", "by")) == [
        ("assessed", 5, "現地確認", cast["pd1"].person.name_ja, cast["pd1"].pk),
        ("claimed", 6, "試作機の記録", cast["pi1"].person.name_ja, cast["pi1"].pk),
    ]
    assert assessed.claim == claimed
    assert list(claimed.evidence_given.values_list("criterion__level__number", "asked", "text")) == [
        (6, "プロトタイプによる実証", "試作機の記録")
    ]
    assert list(assessed.judgements.values_list("is_met", "reason")) == [(False, "未達の理由")]
    newest = history_of(flagship).filter(at=AT).order_by("pk")
    assert [(row.action, row.actor_id, row.before, row.after) for row in newest] == [
        ("claim_trl", str(cast["pi1"].pk), {"level": 5}, {"level": 6, "on": "2026-06-04", "evidence": "試作機の記録"}),
        ("assess_trl", str(cast["pd1"].pk), {"level": 5}, {"level": 5, "on": "2026-06-04", "evidence": "現地確認"}),
    ]


def test_claim_when_it_skips_a_level_then_evidence_for_each_between_is_asked_for(cast, flagship):
    seven = TrlCriterion.objects.get(level=level_of(7))
    with pytest.raises(NotReady) as refusal, translation.override("en"):
        claim_trl(flagship, level=level_of(7), on=DAY, evidence={seven.pk: Evidence("運用記録")}, by=cast["pi1"], at=AT)
    six = TrlCriterion.objects.get(level=level_of(6))
    assert [(blocker.field, blocker.code) for blocker in refusal.value.blockers] == [(f"text_{six.pk}", "required")]
    assert "TRL6" in refusal.value.blockers[0].message
    made = claim(flagship, cast["pi1"], 7)
    assert [one.criterion.level.number for one in made.evidence_given.all()] == [6, 7]
    assert made.evidence == "TRL6: 試作機の記録\nTRL7: 試作機の記録"


def test_claim_when_only_a_deliverable_or_a_file_is_shown_then_it_is_enough(cast, flagship):
    done = Deliverable.objects.create(
        project=flagship, kind="annual_report", fiscal_year=2019, due_on=DAY, state="delivered", delivered_at=AT,
        content_hash="0" * 64,
    )  # fmt: skip
    six, seven = (TrlCriterion.objects.get(level=level_of(number)) for number in (6, 7))
    file = io.BytesIO(PNG)
    evidence = {six.pk: Evidence(deliverable=done), seven.pk: Evidence(file=file, file_name="記録.png")}
    made = claim_trl(flagship, level=level_of(7), on=DAY, evidence=evidence, by=cast["pi1"], at=AT)
    assert made.evidence == "TRL6: 年次報告書 2019\nTRL7: 記録.png"
    (kept,) = TrlEvidence.objects.filter(claim=made, file__isnull=False)
    assert (kept.file.name, kept.file.is_sample) == ("記録.png", True)
    assert list(evidence_visible_to(cast["po1"]).filter(claim=made)) == list(made.evidence_given.order_by("pk"))
    assert not evidence_visible_to(cast["pi2"]).filter(claim=made).exists()


def test_claim_when_the_deliverable_is_not_the_projects_or_awaited_then_refused_and_nothing_written(cast, twin):
    flagship, six = twin["sample-ql1-f1"], TrlCriterion.objects.get(level=level_of(6))
    awaited = Deliverable.objects.create(project=flagship, kind="annual_report", fiscal_year=2018, due_on=DAY)
    foreign = Deliverable.objects.create(
        project=twin["sample-ql1-f2"], kind="annual_report", fiscal_year=2018, due_on=DAY, state="delivered",
        delivered_at=AT, content_hash="0" * 64,
    )  # fmt: skip
    for wrong in (awaited, foreign):
        evidence = {six.pk: Evidence("記録", wrong)}
        with pytest.raises(NotReady) as refusal:
            claim_trl(flagship, level=level_of(6), on=DAY, evidence=evidence, by=cast["pi1"], at=AT)
        assert [blocker.field for blocker in refusal.value.blockers] == [f"deliverable_{six.pk}"]
    assert not TrlAssessment.objects.filter(project=flagship, on=DAY).exists()


def test_claim_when_the_file_is_not_accepted_then_named_beside_it_and_nothing_written(cast, flagship):
    six = TrlCriterion.objects.get(level=level_of(6))
    evidence = {six.pk: Evidence("記録", file=io.BytesIO(b"MZ\x90\x00"), file_name="run.exe")}
    with pytest.raises(NotReady) as refusal:
        claim_trl(flagship, level=level_of(6), on=DAY, evidence=evidence, by=cast["pi1"], at=AT)
    assert [blocker.field for blocker in refusal.value.blockers] == [f"file_{six.pk}"]
    assert not TrlAssessment.objects.filter(project=flagship, on=DAY).exists()


@pytest.mark.parametrize("name", ["pd1", "coinvestigator1", "pi2", "staff1", "po1", "office1", "auditor1", "jst1"])
def test_claim_when_the_role_does_not_allow_it_then_refused_and_nothing_is_written(cast, flagship, name):
    before = TrlAssessment.objects.count()
    with pytest.raises(NotAllowed):
        claim(flagship, cast[name])
    assert TrlAssessment.objects.count() == before


@pytest.mark.parametrize("name", ["pi1", "hq1", "po1", "pd2", "staff1", "auditor1", "evaluator1", "jst1"])
def test_assessment_when_the_role_does_not_allow_it_then_refused_and_nothing_is_written(cast, flagship, name):
    claim(flagship, cast["pi1"])
    before = TrlAssessment.objects.count()
    with pytest.raises(NotAllowed):
        assess(flagship, cast[name])
    assert TrlAssessment.objects.count() == before


def test_assessment_when_by_the_one_who_claimed_then_refused_by_the_action_and_the_database(cast, flagship):
    ProjectMember.objects.create(
        project=flagship, person=cast["pd1"].person, organization=flagship.participations.first().organization,
        role="co_investigator", starts_on=date(2020, 4, 1), granted_by=cast["staff1"], approved_by=cast["staff2"],
    )  # fmt: skip
    made = TrlAssessment.objects.create(
        project=flagship, kind="claimed", level=level_of(6), on=DAY, evidence="記録", by=cast["pd1"], by_label="PD"
    )
    with pytest.raises(NotAllowed):
        assess(flagship, again(cast["pd1"]))
    rows = {"project": flagship, "kind": "assessed", "level": level_of(6), "on": DAY, "evidence": "確認", "claim": made}
    with pytest.raises(IntegrityError, match="not for this person to assess"), transaction.atomic():
        TrlAssessment.objects.create(**rows, by=cast["pd1"], by_label="PD")
    assert assess(flagship, cast["deputy1"]).claim == made


def test_assessment_when_the_director_has_a_conflict_then_refused(cast, flagship):
    claim(flagship, cast["pi1"])
    recuse(cast["pd1"].person, flagship, starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"], at=AT)
    with pytest.raises(NotAllowed):
        assess(flagship, again(cast["pd1"]))
    assert not trl_visible_to(again(cast["pd1"])).filter(project=flagship).exists()


def test_assessment_when_nothing_is_claimed_then_the_project_claims_first(cast, twin):
    basic = twin["sample-ql1-b1"]
    with pytest.raises(Refused) as refusal:
        assess_trl(basic, level=level_of(1), on=DAY, evidence="確認", judgements={}, by=cast["pd1"], at=AT)
    assert refusal.value.code == "no_claim"


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"number": 7}, ["level"]),
        ({"number": 6, "failed": [6]}, ["level"]),
        ({"text": " "}, ["evidence"]),
        ({"on": date(2026, 6, 5)}, ["on"]),
        ({"on": date(2026, 5, 31)}, ["on"]),
    ],
)
def test_assessment_when_something_is_wrong_then_the_field_is_named(cast, flagship, more, fields):
    claim(flagship, cast["pi1"], on=date(2026, 6, 1))
    before = TrlAssessment.objects.count()
    with pytest.raises(NotReady) as refusal:
        assess(flagship, cast["pd1"], **more)
    assert [blocker.field for blocker in refusal.value.blockers] == fields
    assert TrlAssessment.objects.count() == before
    assert not TrlJudgement.objects.exists()


def test_assessment_when_a_judgement_or_its_reason_is_missing_then_asked_for_by_criterion(cast, flagship):
    claim(flagship, cast["pi1"], 7)
    six, seven = criteria_judged(newest_claim(flagship))
    said = {seven.pk: Judgement(False, " ")}
    with pytest.raises(NotReady) as refusal:
        assess_trl(flagship, level=level_of(5), on=DAY, evidence="確認", judgements=said, by=cast["pd1"], at=AT)
    assert [blocker.field for blocker in refusal.value.blockers] == [f"met_{six.pk}", f"reason_{seven.pk}"]


def test_level_when_several_things_are_in_the_way_then_all_are_named(cast, flagship):
    other = TrlScale.objects.create(ref="other", name_ja="別の尺度")
    level = TrlLevel.objects.create(scale=other, number=1, name_ja="段階1")
    asked = TrlCriterion.objects.create(level=level, position=1, name_ja="問い")
    with pytest.raises(NotReady) as refusal, translation.override("en"):
        claim_trl(
            flagship, level=level, on=date(2026, 6, 5), evidence={asked.pk: Evidence(" \n")}, by=cast["pi1"], at=AT
        )
    assert [(blocker.field, blocker.code) for blocker in refusal.value.blockers] == [
        ("on", "future"), ("level", "other_scale"), (f"text_{asked.pk}", "required"),
    ]  # fmt: skip


def test_claim_when_a_level_has_no_criterion_then_refused_and_says_who_enters_it(cast, flagship):
    TrlScale.objects.filter(is_default=True).update(is_default=False)
    scale = TrlScale.objects.create(ref="empty", name_ja="空の尺度", is_default=True)
    level = TrlLevel.objects.create(scale=scale, number=1, name_ja="段階1")
    with pytest.raises(NotReady) as refusal:
        claim_trl(flagship, level=level, on=DAY, evidence={}, by=cast["pi1"], at=AT)
    assert [(blocker.field, blocker.code) for blocker in refusal.value.blockers] == [("level", "no_criteria")]


def test_level_when_the_day_has_one_already_then_refused_for_that_kind_only(cast, flagship):
    claim(flagship, cast["pi1"])
    with pytest.raises(NotReady) as refusal:
        claim(flagship, cast["hq1"])
    assert [(blocker.field, blocker.code) for blocker in refusal.value.blockers] == [("on", "already_recorded")]
    assess(flagship, cast["pd1"])


def test_claim_when_its_day_is_not_after_an_earlier_assessment_then_it_waits_all_the_same(cast, flagship):
    def waiting():
        return [one for one in claims_to_assess(cast["pd1"]) if one.project == flagship]

    claim(flagship, cast["pi1"], 5, on=date(2026, 5, 1))
    assess(flagship, cast["pd1"], 5)
    assert waiting() == []
    late = claim(flagship, cast["pi1"], 6, on=date(2026, 5, 20))
    assert waiting() == [late]
    assess(flagship, cast["pd1"], 6, on=date(2026, 6, 3))
    assert waiting() == []


def test_claim_when_dated_before_the_last_one_then_refused_and_nothing_written(cast, flagship):
    claim(flagship, cast["pi1"])
    count = TrlAssessment.objects.count()
    with pytest.raises(NotReady) as refusal:
        claim(flagship, cast["pi1"], on=date(2026, 5, 1))
    assert [(one.field, one.code) for one in refusal.value.blockers] == [("on", "before_the_last_claim")]
    assert TrlAssessment.objects.count() == count


def test_records_when_written_then_nobody_changes_them(cast, flagship):
    made = claim(flagship, cast["pi1"])
    found = assess(flagship, cast["pd1"])
    for rows in (made.evidence_given, found.judgements):
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows.update(asked="別")
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows.all().delete()


def test_evidence_when_the_criterion_is_reworded_then_it_keeps_what_was_asked(cast, flagship):
    made = claim(flagship, cast["pi1"])
    TrlCriterion.objects.filter(level=level_of(6)).update(name_ja="新しい文言")
    assert [one.asked for one in made.evidence_given.all()] == ["プロトタイプによる実証"]


# Planned, and the board -----------------------------------------------------------------------------------------------


def test_planned_when_a_milestone_carries_the_level_then_its_day_counts(cast, flagship):
    before = planned_levels(trl_records(flagship), flagship.milestones.all())
    assert before == [
        (date(2018, 10, 1), 2), (date(2020, 3, 31), 3), (date(2022, 3, 31), 4), (date(2025, 3, 31), 5),
        (date(2028, 3, 31), 6),
    ]  # fmt: skip
    Milestone.objects.create(project=flagship, number=80, title="実証", planned_on=date(2027, 12, 1), trl_level=6)
    Milestone.objects.create(
        project=flagship, number=81, title="取りやめ", planned_on=date(2027, 1, 1), trl_level=5, is_dropped=True
    )
    assert planned_levels(trl_records(flagship), flagship.milestones.all()) == [*before[:4], (date(2027, 12, 1), 6)]


def test_board_when_read_then_planned_by_the_day_claimed_assessed(cast, flagship):
    def row(on):
        one = projects_on_board(cast["pd1"], flagship.area, on).get(pk=flagship.pk)
        return one.planned, one.claimed, one.assessed

    assert (row(date(2025, 3, 30)), row(date(2028, 4, 1))) == ((4, 5, 5), (6, 5, 5))
    Milestone.objects.create(project=flagship, number=80, title="実証", planned_on=date(2028, 9, 1), trl_level=6)
    assert row(date(2028, 4, 1)) == (5, 5, 5)
    claim(flagship, cast["pi1"])
    assert row(date(2028, 9, 1)) == (6, 6, 5)


def test_board_when_asked_by_others_then_only_what_they_may_see(cast, twin):
    area = twin["sample-ql1-f1"].area
    seen = {
        name: set(projects_on_board(cast[name], area, DAY).values_list("ref", flat=True)) for name in ("pd1", "pi1")
    }
    assert seen["pi1"] == {"sample-ql1-f1"}
    assert {"sample-ql1-f1", "sample-ql1-f2"} <= seen["pd1"]
    recuse(
        cast["pd1"].person, twin["sample-ql1-f1"], starts_on=date(2020, 4, 1), source_ref="C", by=cast["staff1"], at=AT
    )
    found = projects_on_board(again(cast["pd1"]), area, DAY)
    assert "sample-ql1-f1" not in set(found.values_list("ref", flat=True))
