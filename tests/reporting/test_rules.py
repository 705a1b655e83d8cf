"""Who sees a report, reads its text and may do what: one table of role x state, and conflict before every role."""

from datetime import date

import pytest

from accounts.queries import AgencyClient
from programs.models import Participation, ProjectMember, ProjectRecusal
from reporting.models import ProgressReport
from reporting.queries import reports_awaiting, reports_listed, reports_visible_to
from reporting.rules import actions_allowed, reminders_wanted, reports_visible, section_editable, texts_readable
from tests.cast import again
from tests.reporting.conftest import AT, FLAGSHIP, opened, section_of

pytestmark = pytest.mark.django_db
STATES = ("drafting", "submitted", "checked", "returned", "accepted")

#: The states in which each reads the text; everybody else who sees the project sees that the report exists.
TEAM = ("pi1", "coinvestigator1", "hq1")
READS = {
    **dict.fromkeys(TEAM, STATES),
    "po1": ("submitted", "checked", "accepted"),
    "pd1": ("checked", "accepted"),
    "deputy1": ("checked", "accepted"),
    "staff1": ("submitted", "checked", "accepted"),
    "staff2": ("submitted", "checked", "accepted"),
    "office1": ("submitted", "checked", "accepted"),
    "office2": ("submitted", "checked", "accepted"),
    "accountant1": ("submitted", "checked", "accepted"),
    "auditor1": ("submitted", "checked", "accepted"),
    "jst1": ("accepted",),
    "jst2": ("accepted",),
}
SEES = {**dict.fromkeys(READS, STATES), "jst1": ("accepted",), "jst2": ("accepted",)}
ACTS = {
    ("pi1", "drafting"): {"edit", "submit"},
    ("pi1", "returned"): {"edit", "submit"},
    ("hq1", "drafting"): {"edit"},
    ("hq1", "returned"): {"edit"},
    ("coinvestigator1", "drafting"): {"edit"},
    ("coinvestigator1", "returned"): {"edit"},
    ("po1", "submitted"): {"check", "return"},
    ("pd1", "checked"): {"accept", "return"},
    ("deputy1", "checked"): {"accept", "return"},
}
WAITS = {
    **{(who, state): "write" for who in TEAM for state in ("drafting", "returned")},
    ("po1", "submitted"): "check",
    ("pd1", "checked"): "accept",
    ("deputy1", "checked"): "accept",
}


@pytest.mark.parametrize("state", STATES)
def test_report_when_each_of_the_cast_looks_then_as_the_table_says(cast, report_at, state):
    report = report_at(state)
    for name, user in cast.items():
        user = again(user)
        sees = ProgressReport.objects.filter(reports_visible(user), pk=report.pk).exists()
        reads = ProgressReport.objects.filter(texts_readable(user), pk=report.pk).exists()
        assert (name, sees, reads) == (name, state in SEES.get(name, ()), state in READS.get(name, ()))
        expected = {"report.view"} if sees else set()
        expected |= {"report.read_text", "report.export"} if reads else set()
        expected |= {f"report.{act}" for act in ACTS.get((name, state), ())}
        assert (name, actions_allowed(user, report)) == (name, expected)
        awaited = {row.pk: row.awaits for row in reports_awaiting(user)}
        assert (name, awaited.get(report.pk)) == (name, WAITS.get((name, state)))


@pytest.mark.parametrize("state", STATES)
def test_reminder_when_asked_about_then_wanted_only_by_who_the_report_waits_for(cast, report_at, state):
    report = report_at(state)
    wanted = {
        name
        for name in (*TEAM, "po1", "pd1", "deputy1", "po2", "pi2")
        if ProgressReport.objects.filter(reminders_wanted(again(cast[name])), pk=report.pk).exists()
    }
    everybody = {*TEAM, "po1", "pd1", "deputy1"}
    assert wanted == {
        "drafting": everybody, "returned": everybody, "submitted": {"po1"}, "checked": {"pd1", "deputy1"},
        "accepted": set(),
    }[state]  # fmt: skip


@pytest.mark.parametrize("who", ["pi1", "hq1", "po1", "pd1", "deputy1", "staff1", "office1", "auditor1", "jst1"])
def test_report_when_a_conflict_is_confirmed_then_hidden_whatever_the_role(cast, report_at, who):
    report = report_at("accepted")
    user = again(cast[who])
    assert actions_allowed(user, report)
    ProjectRecusal.objects.create(
        person=user.person, project=report.project, starts_on=date(2020, 1, 1), source_ref="test"
    )
    user = again(user)
    assert actions_allowed(user, report) == set()
    assert report not in reports_visible_to(user)
    assert report not in reports_listed(user, report.ref)
    assert report not in reports_awaiting(user)
    assert not section_editable(user, section_of(report, "summary"))


def test_evaluator_when_in_conflict_or_not_then_sees_no_report(cast, report_at):
    report = report_at("accepted")
    for name in ("evaluator1", "evaluator2", "chair1", "secretariat1", "applicant1", "nedo1"):
        assert (name, actions_allowed(again(cast[name]), report)) == (name, set())


def test_client_when_the_report_is_accepted_then_reads_it_and_does_nothing_with_it(cast, report_at, twin_program):
    report = report_at("checked")
    agency = twin_program.agencies.select_related("organization").get().organization
    client = AgencyClient(agency.pk, agency.ref, "client")
    assert actions_allowed(client, report) == set()
    ProgressReport.objects.filter(pk=report.pk).update(state="accepted", accepted_by=cast["pd1"], accepted_at=AT)
    report.refresh_from_db()
    assert actions_allowed(client, report) == {"report.view", "report.read_text", "report.export"}


def test_pi_when_also_the_po_then_does_not_check_the_own_report(cast, report_at, twin):
    report = report_at("submitted")
    staff = {"granted_by": cast["staff1"], "approved_by": cast["staff2"], "starts_on": date(2020, 1, 1)}
    report.project.area.officers.create(person=cast["pi1"].person, **staff)
    user = again(cast["pi1"])
    assert "report.check" not in actions_allowed(user, report)
    assert report not in reports_awaiting(user)


def test_member_when_the_role_has_ended_then_sees_nothing_more(cast, report_at):
    report = report_at()
    ProjectMember.objects.filter(project=report.project, person=cast["coinvestigator1"].person).update(
        ends_on=date(2021, 3, 31)
    )
    user = again(cast["coinvestigator1"])
    assert actions_allowed(user, report) == set()
    assert not section_editable(user, section_of(report, "partner"))


def test_agency_person_when_also_on_the_team_then_sees_the_draft_too(cast, report_at):
    report = report_at()
    user = again(cast["jst1"])
    assert report not in reports_visible_to(user)
    ProjectMember.objects.create(
        project=report.project, person=user.person, role="co_investigator", starts_on=date(2020, 4, 1),
        organization=Participation.objects.get(project=report.project, role="partner").organization,
        granted_by=cast["staff1"], approved_by=cast["staff2"],
    )  # fmt: skip
    user = again(user)
    assert report in reports_visible_to(user)
    assert section_editable(user, section_of(report, "partner"))


@pytest.mark.parametrize(("reader", "queries"), [("staff1", 5), ("pd1", 5), ("auditor1", 5)])
def test_lists_when_1_or_3_reports_then_the_same_queries(cast, twin, reader, queries, django_assert_num_queries):
    made = [opened(twin[FLAGSHIP], cast["staff1"], fiscal_year=2025)]
    for number in (1, 3):
        while len(made) < number:
            made.append(opened(twin["sample-ql1-f2"], cast["staff1"], fiscal_year=2025 - len(made)))
        user = again(cast[reader])
        with django_assert_num_queries(queries):
            rows = [row for row in reports_visible_to(user) if row in made]
            assert all(row.project.program.ref and row.project.leads for row in rows)
        assert len(rows) == number


def test_search_when_by_reference_or_title_then_found(cast, report_at):
    report = report_at()
    user = again(cast["staff1"])
    assert list(reports_listed(user, report.ref.lower())) == [report]
    assert report in reports_listed(user, "超伝導量子計算機")
    assert report not in reports_listed(user, "存在しない題名")
