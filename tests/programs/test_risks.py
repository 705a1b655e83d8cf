"""Risks, collaborations and data management plans: who keeps them, what is refused, what stands for good."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Organization, Person
from common.audit import history_of
from common.countries import countries, country_name
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from programs.actions import collaborations, data_management, risks
from programs.actions.recusals import recuse
from programs.models import Collaboration, DataManagementPlan, DataSet, Participation, Project, Risk
from programs.queries.risks import (
    collaborations_visible_to,
    data_plans_visible_to,
    data_set_changes,
    data_sets_of,
    kept_by,
    risks_awaiting,
    risks_visible_to,
)
from programs.rules.risks import data_plan_actions, grade_of, needs_export_check, risk_actions
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
TODAY = date(2026, 6, 4)


@pytest.fixture
def project(twin) -> Project:
    return twin["sample-ql1-f1"]


@pytest.fixture
def owner(cast) -> Person:
    return cast["pi1"].person


@pytest.fixture
def values(owner) -> dict:
    return {
        "kind": "risk", "title": "納期の遅れ", "description": "", "likelihood": 4, "effect": 4, "owner": owner,
        "measure": "代替機を借りる", "due_on": date(2026, 7, 1),
    }  # fmt: skip


@pytest.fixture
def risk(cast, project, values) -> Risk:
    return risks.open_risk(project, values=values, by=cast["pi1"], at=AT)


# Risks ----------------------------------------------------------------------------------------------------------------


def test_risk_when_escalated_then_it_waits_for_the_director_until_answered(client, cast, risk):
    risks.escalate_risk(risk, text="経費の組替えをご判断ください", by=cast["hq1"], at=AT)
    for name, waits in (("pd1", True), ("deputy1", True), ("po1", False), ("pi1", False), ("pd2", False)):
        assert (risk in risks_awaiting(again(cast[name]), TODAY)) is waits, name
    client.force_login(cast["pd1"])
    assert "納期の遅れ" in client.get("/").content.decode()
    answered = risks.answer_risk(risk, text="組替えを認めます", by=cast["pd1"], at=AT)
    assert answered.state == "open"
    assert list(answered.notes.values_list("kind", flat=True)) == ["escalation", "answer"]
    closed = risks.close_risk(answered, text="納入されました", by=cast["coinvestigator1"], at=AT)
    assert closed.state == "closed"
    assert risks.reopen_risk(closed, text="故障", by=cast["pi1"], at=AT).state == "open"
    with pytest.raises(Exception, match="Cannot"), transaction.atomic():
        risk.notes.all().update(text="別")
    assert history_of(risk.project).first().action == "reopen_risk"


def test_risk_when_its_day_has_come_then_the_owner_is_asked(cast, risk):
    assert risk not in risks_awaiting(cast["pi1"], date(2026, 6, 30))
    assert risk in risks_awaiting(cast["pi1"], date(2026, 7, 1))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": " "}, "title"),
        ({"measure": ""}, "measure"),
        ({"likelihood": 0}, "likelihood"),
        ({"effect": 6}, "effect"),
        ({"kind": "wish"}, "kind"),
        ({"due_on": date(2026, 6, 3)}, "due_on"),
        ({"owner": None}, "owner"),
    ],
)
def test_risk_when_something_is_wrong_then_the_field_is_named_and_nothing_written(cast, project, values, given, field):
    with pytest.raises(NotReady) as refusal:
        risks.open_risk(project, values={**values, **given}, by=cast["pi1"], at=AT)
    assert [b.field for b in refusal.value.blockers] == [field]
    assert not Risk.objects.filter(project=project).exists()


def test_risk_when_owned_by_somebody_else_than_the_team_then_refused(cast, project, values):
    with pytest.raises(NotReady) as refusal:
        risks.open_risk(project, values={**values, "owner": cast["pi2"].person}, by=cast["pi1"], at=AT)
    assert [b.field for b in refusal.value.blockers] == ["owner"]


def test_risk_when_two_save_at_once_then_the_second_is_told(cast, risk, values):
    risks.save_risk(risk, values={**values, "effect": 5}, revision=0, by=cast["pi1"], at=AT)
    with pytest.raises(StaleEdit):
        risks.save_risk(risk, values={**values, "effect": 1}, revision=0, by=cast["hq1"], at=AT)
    risk.refresh_from_db()
    assert (risk.effect, risk.score) == (5, 20)


def test_act_when_nothing_is_said_then_refused(cast, risk):
    with pytest.raises(Refused) as refusal:
        risks.escalate_risk(risk, text="  ", by=cast["pi1"], at=AT)
    assert refusal.value.field == "text"


def test_database_when_a_grade_is_off_the_scale_or_a_step_illegal_then_refused(risk):
    for change in ({"likelihood": 6}, {"state": "closed", "kind": "wish"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Risk.objects.filter(pk=risk.pk).update(**change)


@pytest.mark.parametrize(
    ("score", "grade"), [(25, "high"), (15, "high"), (12, "middle"), (8, "middle"), (6, "low"), (1, "low")]
)
def test_grade_when_asked_then_by_the_score(score, grade):
    assert grade_of(score) == grade


WRITERS = {"pi1", "hq1", "coinvestigator1", "po1"}
READERS = {
    *WRITERS,
    "pd1",
    "deputy1",
    "staff1",
    "staff2",
    "auditor1",
    "jst1",
    "jst2",
    "office1",
    "office2",
    "accountant1",
}
ACTS = {
    "open": ({"edit", "escalate", "close"}, {"close"}),
    "escalated": ({"edit", "close"}, {"answer", "close"}),
    "closed": ({"reopen"}, set()),
}


@pytest.mark.parametrize("state", list(ACTS))
def test_risk_when_somebody_looks_then_rights_are_as_in_the_table(cast, risk, state):
    if state != "open":
        act = risks.escalate_risk if state == "escalated" else risks.close_risk
        risk = act(risk, text="理由", by=cast["pi1"], at=AT)
    of_team, of_director = ACTS[state]
    users = {name: again(user) for name, user in cast.items()}
    assert {name for name, user in users.items() if risk in risks_visible_to(user)} == READERS
    for name, user in users.items():
        expected = of_team if name in WRITERS else of_director if name in ("pd1", "deputy1") else set()
        assert {act.removeprefix("risk.") for act in risk_actions(user, risk)} == expected, name


@pytest.mark.parametrize("name", ["pd1", "staff1", "office1", "auditor1", "pi2", "jst1", "evaluator1"])
def test_risk_when_others_enter_one_then_refused(cast, project, values, name):
    with pytest.raises(NotAllowed):
        risks.open_risk(project, values=values, by=cast[name], at=AT)


# Collaborations -------------------------------------------------------------------------------------------------------

ABROAD = {
    "kind": "abroad", "partner": "海外機関", "sector": "academia", "country": "FR", "subject": "共同研究",
    "starts_on": date(2026, 4, 1), "ends_on": None, "contribution_yen": 5_000_000, "contribution": "",
    "agreement": "none", "agreed_on": None, "export_control": "open", "export_checked_on": None,
    "export_checked_by": "",
}  # fmt: skip


def entered(project, cast, **given) -> Collaboration:
    return collaborations.enter_collaboration(project, values={**ABROAD, **given}, by=cast["pi1"], at=AT)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"partner": ""}, "partner"),
        ({"country": "XX"}, "country"),
        ({"country": "JP"}, "country"),
        ({"ends_on": date(2026, 3, 31)}, "ends_on"),
        ({"contribution_yen": -1}, "contribution_yen"),
        ({"agreement": "signed"}, "agreed_on"),
        ({"agreed_on": date(2026, 4, 1)}, "agreed_on"),
        ({"agreement": "signed", "agreed_on": date(2026, 6, 5)}, "agreed_on"),
        ({"export_control": "cleared", "export_checked_by": "担当"}, "export_checked_on"),
        ({"export_control": "cleared", "export_checked_on": date(2026, 6, 1)}, "export_checked_by"),
        (
            {"export_control": "cleared", "export_checked_on": date(2026, 6, 5), "export_checked_by": "担当"},
            "export_checked_on",
        ),
    ],
)
def test_collaboration_when_something_is_wrong_then_named_and_nothing_written(cast, project, given, field):
    with pytest.raises(NotReady) as refusal:
        entered(project, cast, **given)
    assert [b.field for b in refusal.value.blockers] == [field]
    assert not Collaboration.objects.filter(project=project).exists()


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({}, True),
        ({"starts_on": date(2026, 7, 1)}, False),
        ({"starts_on": date(2026, 7, 1), "agreement": "signed", "agreed_on": date(2026, 6, 1)}, True),
        ({"export_control": "not_needed", "export_checked_on": date(2026, 6, 1), "export_checked_by": "担当"}, False),
        ({"kind": "industry", "country": "US"}, True),
        ({"kind": "industry", "country": "JP"}, False),
    ],
)
def test_collaboration_when_abroad_and_unchecked_then_a_check_is_asked(cast, project, given, needed):
    assert needs_export_check(entered(project, cast, **given), TODAY) is needed


def test_collaboration_when_saved_then_by_who_keeps_it_and_with_what_changed(cast, project):
    row = entered(project, cast)
    saved = collaborations.save_collaboration(
        row, values={**ABROAD, "partner": "別の機関"}, revision=0, by=cast["po1"], at=AT
    )
    assert (saved.partner, saved.revision) == ("別の機関", 1)
    assert history_of(project).first().before == {"partner": "海外機関"}
    with pytest.raises(StaleEdit):
        collaborations.save_collaboration(row, values=ABROAD, revision=0, by=cast["pi1"], at=AT)
    with pytest.raises(NotAllowed):
        collaborations.save_collaboration(row, values=ABROAD, revision=1, by=cast["pd1"], at=AT)


def test_countries_when_named_then_in_both_languages_and_without_what_is_none():
    assert country_name("FR") == "フランス"
    assert country_name("FR", "en") == "France"
    assert country_name("??") == "??"
    assert next(iter(countries())) == "JP"
    assert not {"EU", "UN", "ZZ"} & set(countries())
    assert set(countries("en")) == set(countries("ja"))


# Data management plans ------------------------------------------------------------------------------------------------


@pytest.fixture
def lead(project) -> Organization:
    return Participation.objects.get(project=project, role="lead").organization


@pytest.fixture
def plan(cast, project, lead) -> DataManagementPlan:
    made = data_management.open_data_plan(project, by=cast["pi1"], at=AT)
    made = data_management.save_data_policy(made, policy="一年以内に公開", revision=0, by=cast["hq1"], at=AT)
    with_set(made, lead, cast)
    return made


def with_set(plan, lead, cast, key="", **given) -> DataSet:
    values = {"name": "測定データ", "organization": lead, "sharing": "open", "licence": "CC BY 4.0", **given}
    return data_management.save_data_set(plan, values=values, key=key, by=cast["pi1"], at=AT)


def test_data_plan_when_confirmed_then_it_stands_and_the_next_version_begins_as_its_copy(cast, project, plan, lead):
    with pytest.raises(NotAllowed):
        data_management.open_data_plan(project, by=cast["pi1"], at=AT)
    submitted = data_management.submit_data_plan(plan, by=cast["pi1"], at=AT)
    back = data_management.return_data_plan(submitted, comment="保存場所を", by=cast["po1"], at=AT)
    assert (back.state, back.returned_note) == ("returned", "保存場所を")
    data_management.submit_data_plan(back, by=cast["pi1"], at=AT)
    done = data_management.confirm_data_plan(back, by=cast["pd1"], at=AT)
    assert done.state == "confirmed"
    for act in (
        lambda: DataManagementPlan.objects.filter(pk=done.pk).update(policy="別"),
        lambda: DataSet.objects.filter(plan=done).update(name="別"),
        lambda: DataSet.objects.filter(plan=done).delete(),
    ):
        with pytest.raises(Exception, match=r"Cannot|not open"), transaction.atomic():
            act()
    second = data_management.open_data_plan(project, by=cast["hq1"], at=AT)
    assert (second.number, second.policy) == (2, "一年以内に公開")
    with_set(second, lead, cast, key="DS1", sharing="closed", licence="", reason="秘密保持")
    with_set(second, lead, cast, name="新しいデータ")
    changes = data_set_changes(data_sets_of(done), data_sets_of(second))
    assert [one.fields for one in changes] == [("sharing", "reason", "licence"), ()]
    assert changes[1].before is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"organization": None}, "organization"),
        ({"sharing": "embargo"}, "embargo_until"),
        ({"sharing": "embargo", "embargo_until": date(2026, 6, 4)}, "embargo_until"),
        ({"embargo_until": date(2027, 1, 1)}, "embargo_until"),
        ({"sharing": "closed"}, "reason"),
        ({"licence": " "}, "licence"),
    ],
)
def test_data_set_when_something_is_wrong_then_the_field_is_named(cast, plan, lead, given, field):
    with pytest.raises(NotReady) as refusal:
        with_set(plan, lead, cast, **given)
    assert [b.field for b in refusal.value.blockers] == [field]
    assert DataSet.objects.filter(plan=plan).count() == 1


def test_data_plan_when_empty_then_says_what_is_missing(cast, project):
    empty = data_management.open_data_plan(project, by=cast["pi1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        data_management.submit_data_plan(empty, by=cast["pi1"], at=AT)
    assert [b.field for b in refusal.value.blockers] == ["policy", "data-sets"]


TEAM = {"pi1", "hq1", "coinvestigator1"}
DATA = {
    "drafting": (TEAM, {name: {"edit", "submit"} for name in TEAM}),
    "submitted": (READERS, {name: {"confirm", "return"} for name in ("pd1", "deputy1", "po1")}),
}


@pytest.mark.parametrize("state", list(DATA))
def test_data_plan_when_somebody_looks_then_rights_are_as_in_the_table(cast, plan, state):
    if state == "submitted":
        plan = data_management.submit_data_plan(plan, by=cast["pi1"], at=AT)
    plan.refresh_from_db()
    sees, may = DATA[state]
    users = {name: again(user) for name, user in cast.items()}
    assert {name for name, user in users.items() if plan in data_plans_visible_to(user)} == sees
    for name, user in users.items():
        assert {act.removeprefix("data_plan.") for act in data_plan_actions(user, plan)} == may.get(name, set()), name


# Counts and conflicts -------------------------------------------------------------------------------------------------


def test_counts_when_an_area_is_asked_then_over_the_projects_one_may_see(cast, project, risk, plan):
    entered(project, cast)
    assert kept_by(cast["pi1"], project.area, TODAY).data_plans == {"drafting": 1}
    assert kept_by(cast["pd1"], project.area, TODAY).data_plans == {}
    submitted = data_management.submit_data_plan(plan, by=cast["pi1"], at=AT)
    kept = kept_by(cast["pd1"], project.area, TODAY)
    assert (kept.data_plans, kept.data_sets) == ({"submitted": 1}, {})
    data_management.confirm_data_plan(submitted, by=cast["po1"], at=AT)
    kept = kept_by(cast["pd1"], project.area, date(2026, 7, 2))
    assert (kept.risks, kept.collaborations, kept.data_sets) == ({"open": 1, "overdue": 1}, {"abroad": 1}, {"open": 1})
    assert kept.data_plans == {"confirmed": 1}
    assert kept_by(cast["staff1"], project.program, TODAY).risks == {"open": 1}
    assert kept_by(cast["pi2"], project.area, TODAY).is_empty
    recuse(cast["pd1"].person, project, starts_on=date(2020, 4, 1), source_ref="COI-R", by=cast["staff1"], at=AT)
    conflicted = again(cast["pd1"])
    assert kept_by(conflicted, project.area, TODAY).is_empty
    for visible in (risks_visible_to, collaborations_visible_to, data_plans_visible_to):
        assert not visible(conflicted).filter(project=project).exists()
