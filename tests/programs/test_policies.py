"""Implementation policies: written by the director, put in force by another person, and then they stand."""

from datetime import date, datetime

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from accounts.models import Organization
from accounts.queries import AgencyClient
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from programs.actions.policies import (
    open_policy,
    put_policy_in_force,
    return_policy,
    save_policy,
    submit_policy,
    withdraw_policy,
)
from programs.models import PolicyVersion
from programs.queries.policies import policies_awaiting, policies_of_area, policies_visible_to, policy_on
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
TODAY = AT.date()
TEXT = "# 目標\n量子計算機の試作を進める。\n\n# 進め方\n年2回の現地調査を行う。"


@pytest.fixture
def area(twin):
    return twin["sample-ql1-f1"].area


@pytest.fixture
def draft(cast, area):
    return save_policy(open_policy(area, by=cast["pd1"], at=AT), text=TEXT, revision=0, by=cast["pd1"], at=AT)


def in_force(version, cast, on=TODAY, by="pd1", staff="staff1"):
    submitted = submit_policy(version, by=cast[by], at=AT)
    return put_policy_in_force(submitted, effective_on=on, by=cast[staff], at=AT)


def test_policy_when_put_in_force_then_it_never_changes_and_the_next_begins_as_a_copy(cast, area, draft):
    first = in_force(draft, cast)
    assert (first.state, first.number, len(first.content_hash)) == ("in_force", 1, 64)
    with pytest.raises(NotAllowed):
        save_policy(first, text="別", revision=first.revision, by=cast["pd1"], at=AT)
    for change in ({"text": "別"}, {"effective_on": date(2030, 1, 1)}, {"state": "withdrawn"}):
        with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic():
            PolicyVersion.objects.filter(pk=first.pk).update(**change)
    with pytest.raises(ProgrammingError), transaction.atomic():
        first.delete()
    second = open_policy(area, by=cast["deputy1"], at=AT)
    assert (second.number, second.base, second.text) == (2, first, TEXT)
    with pytest.raises(NotReady) as refusal:
        submit_policy(second, by=cast["deputy1"], at=AT)
    assert [b.code for b in refusal.value.blockers] == ["unchanged"]
    second = save_policy(second, text=f"{TEXT}\n追記", revision=0, by=cast["pd1"], at=AT)
    with pytest.raises(NotReady) as early:
        in_force(second, cast)
    assert [b.field for b in early.value.blockers] == ["effective_on"]
    second = put_policy_in_force(second, effective_on=date(2026, 7, 1), by=cast["staff2"], at=AT)
    versions = policies_of_area(cast["pi1"], area)
    assert [policy_on(versions, on) for on in (date(2026, 6, 3), date(2026, 6, 30), date(2026, 7, 1))] == [
        None, first, second,
    ]  # fmt: skip


def test_policy_when_one_person_submits_and_decides_then_refused_by_the_database_too(cast, draft):
    submitted = submit_policy(draft, by=cast["pd1"], at=AT)
    with pytest.raises(NotAllowed):
        put_policy_in_force(submitted, effective_on=TODAY, by=cast["pd1"], at=AT)
    whole = {"approved_at": AT, "effective_on": TODAY, "content_hash": "0" * 64}
    with pytest.raises(IntegrityError, match="policy_second_person"), transaction.atomic():
        PolicyVersion.objects.filter(pk=draft.pk).update(state="in_force", approved_by=cast["pd1"], **whole)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.filter(pk=draft.pk).update(state="in_force")


def test_policy_when_returned_then_with_a_reason_and_written_again(cast, draft):
    submitted = submit_policy(draft, by=cast["pd1"], at=AT)
    with pytest.raises(NotAllowed):
        save_policy(submitted, text="別", revision=1, by=cast["pd1"], at=AT)
    with pytest.raises(Refused) as refusal:
        return_policy(submitted, reason=" ", by=cast["staff1"], at=AT)
    assert refusal.value.field == "reason"
    returned = return_policy(submitted, reason="予算の節を加えてください。", by=cast["staff1"], at=AT)
    assert list(policies_awaiting(cast["pd1"])) == [returned]
    again_written = save_policy(returned, text=f"{TEXT}\n# 予算\n配分の考え方", revision=1, by=cast["pd1"], at=AT)
    assert in_force(again_written, cast).state == "in_force"


def test_policy_when_two_people_write_then_the_second_sees_both_texts(cast, draft):
    with pytest.raises(StaleEdit) as stale:
        save_policy(draft, text="代理の案", revision=0, by=cast["deputy1"], at=AT)
    assert (stale.value.current.text, stale.value.submitted) == (TEXT, "代理の案")
    assert save_policy(draft, text="代理の案", revision=1, by=cast["deputy1"], at=AT).saved_by == cast["deputy1"]
    with pytest.raises(Refused):
        save_policy(draft, text="字" * 20_001, revision=2, by=cast["pd1"], at=AT)


@pytest.mark.parametrize("name", ["pd2", "po1", "staff1", "pi1", "hq1", "auditor1", "jst1", "evaluator1"])
def test_policy_when_others_write_then_refused_and_nothing_changes(cast, area, draft, name):
    how = {"by": cast[name], "at": AT}
    for act in (
        lambda: open_policy(area, **how),
        lambda: save_policy(draft, text="別", revision=1, **how),
        lambda: submit_policy(draft, **how),
        lambda: withdraw_policy(draft, **how),
        lambda: put_policy_in_force(draft, effective_on=TODAY, **how),
        lambda: return_policy(draft, reason="理由", **how),
    ):
        with pytest.raises(NotAllowed):
            act()
    draft.refresh_from_db()
    assert (draft.state, draft.text) == ("drafting", TEXT)


def test_policy_when_empty_or_one_is_open_then_refused(cast, area):
    first = open_policy(area, by=cast["pd1"], at=AT)
    with pytest.raises(NotAllowed):
        open_policy(area, by=cast["deputy1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        submit_policy(first, by=cast["pd1"], at=AT)
    assert [(b.field, b.code) for b in refusal.value.blockers] == [("text", "required")]
    withdraw_policy(first, by=cast["pd1"], at=AT)
    assert open_policy(area, by=cast["deputy1"], at=AT).number == 2


def test_policy_when_asked_for_everybody_then_by_its_state(cast, area, draft):
    client = AgencyClient(Organization.objects.get(ref="sample-jst").pk, "sample-jst", "client")

    def seen():
        return {name for name, user in cast.items() if draft in policies_visible_to(again(user))}

    assert seen() == {"pd1", "deputy1", "po1"}
    submit_policy(draft, by=cast["pd1"], at=AT)
    assert seen() == {"pd1", "deputy1", "po1", "staff1", "staff2", "auditor1"}
    assert draft not in policies_visible_to(client)
    put_policy_in_force(draft, effective_on=TODAY, by=cast["staff1"], at=AT)
    assert seen() >= {"pi1", "hq1", "pd2", "po2", "jst1", "office1"}
    assert not seen() & {"evaluator1", "nedo1", "applicant1"}
    assert draft in policies_visible_to(client)


def test_policy_when_submitted_then_it_waits_for_the_staff(cast, draft):
    assert list(policies_awaiting(cast["pd1"])) == list(policies_awaiting(cast["deputy1"])) == [draft]
    submit_policy(draft, by=cast["pd1"], at=AT)
    assert list(policies_awaiting(cast["staff1"])) == list(policies_awaiting(cast["staff2"])) == [draft]
    for name in ("pd1", "po1", "auditor1"):
        assert list(policies_awaiting(cast[name])) == []
