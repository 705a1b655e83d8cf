"""Site visits and advice: a memo from the day of the visit, shared once; advice followed up until it is closed."""

from datetime import date, datetime

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from accounts.models import Organization
from accounts.queries import AgencyClient
from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from programs.actions.advice import answer_advice, close_advice, give_advice, pass_on_advice, reopen_advice
from programs.actions.recusals import recuse
from programs.actions.visits import cancel_visit, change_visit, open_visit, save_memo, share_memo
from programs.models import Advice, SiteVisit
from programs.queries.visits import (
    advice_awaiting,
    advice_visible_to,
    people_around,
    visits_to_describe,
    visits_visible_to,
)
from programs.rules.visits import may_read_memo
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
TODAY = AT.date()
WHERE = {"place": "見本機関A 量子棟", "participants": "見本 プログラムディレクター1"}
DUE = date(2026, 9, 30)


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def visit(cast, project):
    return open_visit(project, on=date(2026, 6, 3), **WHERE, by=cast["pd1"], at=AT)


def advise(project, cast, by="pd1", owner="pi1", **more):
    given = {"text": "測定の手順を見直すこと。", "owner": cast[owner].person, "due_on": DUE, **more}
    return give_advice(project, **given, by=cast[by], at=AT)


def fields_of(refusal):
    return [(one.field, one.code) for one in refusal.value.blockers]


# Visits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pd1", "deputy1", "po1", "staff1"])
def test_visit_when_its_keepers_enter_it_then_on_record(cast, project, name):
    made = open_visit(project, on=TODAY, **WHERE, by=cast[name], at=AT)
    assert (made.is_sample, made.opened_by, made.memo) == (True, cast[name], "")
    assert history_of(project).first().action == "open_visit"


@pytest.mark.parametrize("name", ["hq1", "pi1", "coinvestigator1", "office1", "auditor1", "jst1", "pd2", "evaluator2"])
def test_visit_when_others_try_then_refused_and_nothing_changes(cast, project, visit, name):
    how = {"by": cast[name], "at": AT}
    for act in (
        lambda: open_visit(project, on=TODAY, **WHERE, **how),
        lambda: change_visit(visit, on=TODAY, **WHERE, **how),
        lambda: save_memo(visit, text="書込", revision=0, **how),
        lambda: share_memo(visit, **how),
        lambda: cancel_visit(visit, reason="理由", **how),
        lambda: give_advice(project, text="助言", owner=cast["pi1"].person, due_on=DUE, **how),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert SiteVisit.objects.filter(project=project).count() == 1
    assert not Advice.objects.filter(project=project).exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"place": " "}, [("place", "required")]),
        ({"participants": "\n"}, [("participants", "required")]),
        ({"on": date(1999, 1, 1)}, [("on", "out_of_range")]),
        ({"on": date(2060, 1, 1)}, [("on", "out_of_range")]),
    ],
)
def test_visit_when_something_is_wrong_then_the_field_is_named_and_nothing_written(cast, project, given, expected):
    with pytest.raises(NotReady) as refusal:
        open_visit(project, **{"on": TODAY, **WHERE, **given}, by=cast["pd1"], at=AT)
    assert fields_of(refusal) == expected
    assert not SiteVisit.objects.filter(project=project).exists()


def test_memo_when_the_visit_lies_ahead_then_refused_and_by_the_database_too(cast, project):
    ahead = open_visit(project, on=date(2026, 7, 1), place="見本機関A", by=cast["pd1"], at=AT)
    with pytest.raises(Refused) as refusal:
        save_memo(ahead, text="もう書いた", revision=0, by=cast["pd1"], at=AT)
    assert (refusal.value.code, refusal.value.field) == ("future", "text")
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteVisit.objects.filter(pk=ahead.pk).update(memo="もう書いた", memo_on=TODAY, saved_by=cast["pd1"])
    saved = save_memo(ahead, text="当日に書いた", revision=0, by=cast["pd1"], at=datetime(2026, 7, 1, 9, tzinfo=JAPAN))
    with pytest.raises(NotReady) as moved:
        change_visit(saved, on=date(2026, 8, 1), **WHERE, by=cast["pd1"], at=datetime(2026, 7, 2, 9, tzinfo=JAPAN))
    assert fields_of(moved) == [("on", "future")]


def test_memo_when_two_people_write_then_the_second_sees_both_texts(cast, visit):
    save_memo(visit, text="PDの記録", revision=0, by=cast["pd1"], at=AT)
    with pytest.raises(StaleEdit) as stale:
        save_memo(visit, text="POの記録", revision=0, by=cast["po1"], at=AT)
    assert (stale.value.current.memo, stale.value.submitted) == ("PDの記録", "POの記録")
    assert save_memo(visit, text="PDの記録", revision=0, by=cast["po1"], at=AT).revision == 1
    both = save_memo(visit, text="両方の記録", revision=1, by=cast["po1"], at=AT)
    assert (both.revision, both.saved_by) == (2, cast["po1"])
    with pytest.raises(Refused) as long:
        save_memo(visit, text="字" * 8001, revision=2, by=cast["pd1"], at=AT)
    assert long.value.code == "too_long"


def test_memo_when_shared_then_the_team_reads_it_and_it_stands(cast, visit):
    with pytest.raises(NotReady):
        share_memo(visit, by=cast["pd1"], at=AT)
    save_memo(visit, text="現地で確認した。", revision=0, by=cast["pd1"], at=AT)
    before = {name for name, user in cast.items() if may_read_memo(again(user), visit)}
    assert before == {"pd1", "deputy1", "po1", "staff1", "staff2", "auditor1"}
    share_memo(visit, by=cast["pd1"], at=AT)
    after = {name for name, user in cast.items() if may_read_memo(again(user), visit)}
    assert after - before >= {"pi1", "hq1", "coinvestigator1", "office1"}
    assert not after & {"pi2", "pd2", "evaluator1", "nedo1"}
    with pytest.raises(Refused):
        save_memo(visit, text="後から", revision=1, by=cast["pd1"], at=AT)
    with pytest.raises(ProgrammingError), transaction.atomic():
        SiteVisit.objects.filter(pk=visit.pk).update(memo="後から")


def test_visit_when_cancelled_then_with_a_reason_and_never_with_a_memo(cast, project, visit):
    ahead = open_visit(project, on=date(2026, 7, 1), place="見本機関A", by=cast["pd1"], at=AT)
    with pytest.raises(Refused):
        cancel_visit(ahead, reason=" ", by=cast["pd1"], at=AT)
    assert cancel_visit(ahead, reason="先方の都合", by=cast["pd1"], at=AT).is_cancelled
    save_memo(visit, text="記録", revision=0, by=cast["pd1"], at=AT)
    with pytest.raises(Refused) as refusal:
        cancel_visit(visit, reason="誤り", by=cast["pd1"], at=AT)
    assert refusal.value.code == "has_memo"
    with pytest.raises(ProgrammingError), transaction.atomic():
        SiteVisit.objects.filter(pk=ahead.pk).delete()


# Advice -------------------------------------------------------------------------------------------------------------


def test_advice_when_followed_up_then_answered_reopened_and_closed_for_good(cast, project, visit):
    advice = advise(project, cast, visit=visit)
    assert list(advice_awaiting(cast["pi1"])) == [advice]
    with pytest.raises(NotAllowed):
        answer_advice(advice, answer="した", by=cast["hq1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        answer_advice(advice, answer=" ", by=cast["pi1"], at=AT)
    assert fields_of(refusal) == [("answer", "required")]
    answer_advice(advice, answer="手順書を改訂した。", by=cast["pi1"], at=AT)
    assert list(advice_awaiting(cast["pi1"])) == []
    assert list(advice_awaiting(cast["pd1"])) == list(advice_awaiting(cast["deputy1"])) == [advice]
    reopen_advice(advice, reason="記録が足りない。", by=cast["po1"], at=AT)
    assert list(advice_awaiting(cast["pi1"])) == [advice]
    answer_advice(advice, answer="記録も追加した。", by=cast["pi1"], at=AT)
    closed = close_advice(advice, by=cast["pd1"], at=AT)
    assert (closed.state, closed.answer, closed.closed_by) == ("closed", "記録も追加した。", cast["pd1"])
    with pytest.raises(NotAllowed):
        reopen_advice(advice, reason="もう一度", by=cast["pd1"], at=AT)
    for change in ({"closing": "別"}, {"state": "open"}):
        with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic():
            Advice.objects.filter(pk=advice.pk).update(**change)


def test_advice_when_its_words_are_changed_in_raw_sql_then_refused(cast, project):
    advice = advise(project, cast)
    for change in ({"text": "別の助言"}, {"given_by": cast["po1"]}):
        with pytest.raises(ProgrammingError), transaction.atomic():
            Advice.objects.filter(pk=advice.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Advice.objects.filter(pk=advice.pk).update(state="answered")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"text": " "}, [("text", "required")]),
        ({"text": "字" * 2001}, [("text", "too_long")]),
        ({"due_on": date(2026, 6, 3)}, [("due_on", "past")]),
        ({"owner": "pi2"}, [("owner", "not_around")]),
    ],
)
def test_advice_when_something_is_wrong_then_the_field_is_named_and_nothing_written(cast, project, given, expected):
    with pytest.raises(NotReady) as refusal:
        advise(project, cast, **given)
    assert fields_of(refusal) == expected
    assert not Advice.objects.filter(project=project).exists()


def test_advice_when_closed_without_an_answer_then_a_note_says_what_was_done(cast, project):
    advice = advise(project, cast)
    with pytest.raises(NotReady) as refusal:
        close_advice(advice, by=cast["pd1"], at=AT)
    assert fields_of(refusal) == [("closing", "required")]
    assert close_advice(advice, closing="口頭で確認した。", by=cast["staff1"], at=AT).state == "closed"


def test_advice_when_passed_on_then_it_waits_for_the_other_person(cast, project):
    advice = advise(project, cast)
    how = {"by": cast["po1"], "at": AT}
    with pytest.raises(NotReady) as refusal:
        pass_on_advice(advice, owner=cast["hq1"].person, due_on=date(2026, 6, 1), reason="", **how)
    assert fields_of(refusal) == [("due_on", "past"), ("reason", "reason_missing")]
    pass_on_advice(advice, owner=cast["hq1"].person, due_on=DUE, reason="人事異動", **how)
    assert list(advice_awaiting(cast["hq1"])) == [advice]
    assert list(advice_awaiting(cast["pi1"])) == []


# Who sees -----------------------------------------------------------------------------------------------------------


def test_visit_and_advice_when_asked_for_everybody_then_as_for_the_project(cast, project, visit):
    advice = advise(project, cast, visit=visit)
    for rows, one in ((visits_visible_to, visit), (advice_visible_to, advice)):
        seen = {name for name, user in cast.items() if one in rows(again(user))}
        assert seen >= {"pi1", "hq1", "pd1", "deputy1", "po1", "staff1", "auditor1", "office1", "jst1"}
        assert not seen & {"evaluator1", "pi2", "pd2", "nedo1", "applicant1"}
        machine = AgencyClient(Organization.objects.get(ref="sample-jst").pk, "sample-jst", "client")
        assert not rows(machine).exists()


def test_everything_when_the_director_has_a_conflict_then_it_is_not_there_and_nothing_can_be_done(cast, project, visit):
    advice = advise(project, cast, owner="po1")
    recuse(cast["pd1"].person, project, starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"], at=AT)
    pd = again(cast["pd1"])
    assert visit not in visits_visible_to(pd)
    assert advice not in advice_visible_to(pd)
    assert not may_read_memo(pd, visit)
    for act in (
        lambda: save_memo(visit, text="書込", revision=0, by=pd, at=AT),
        lambda: close_advice(advice, closing="済", by=pd, at=AT),
        lambda: advise(project, {**cast, "pd1": pd}),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert cast["pd1"].person not in people_around(project, TODAY)


def test_visit_without_a_memo_when_its_day_has_come_then_it_waits_for_whoever_entered_it(cast, project, visit):
    assert list(visits_to_describe(cast["pd1"], TODAY)) == [visit]
    assert list(visits_to_describe(cast["pd1"], date(2026, 6, 2))) == []
    assert list(visits_to_describe(cast["po1"], TODAY)) == []
    save_memo(visit, text="記録", revision=0, by=cast["po1"], at=AT)
    assert list(visits_to_describe(cast["pd1"], TODAY)) == []
