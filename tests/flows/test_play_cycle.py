"""`play_cycle`: the main job end to end, twice, and refused in production."""

import json
import random
from datetime import datetime

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils.translation import override

from common.models import JournalEntry, OutgoingMail
from common.refs import drawn_from, new_ref
from evaluations.models import Case, Condition, GateDecision, GateReview, Objection, Round
from programs.models import Deliverable, PlanVersion, Project
from programs.queries import projects_visible_to
from programs.queries.plans import money_table
from programs.rules.plans import plan_actions
from reporting.models import ProgressReport, ReportComment, ReportVersion
from reporting.queries import reports_awaiting
from reporting.sample_cast import cast_users
from reporting.sample_cycle import TOKYO, default_now
from tests.cast import make_sample

NOW = "2026-06-10T09:00:00+09:00"
STEPS = [
    "build_sample_as_of_last_season",
    "write_plans",
    "submit_plans",
    "check_plans",
    "confirm_plans",
    "propose_plan_approvals",
    "approve_plans",
    "record_benchmarks",
    "put_policy_in_force",
    "open_reports",
    "write_sections",
    "submit_reports",
    "return_with_comments",
    "answer_and_submit_again",
    "typeset_reports",
    "check_reports",
    "accept_reports",
    "build_sample_as_of_now",
    "prepare_round",
    "call_dossiers",
    "appoint_panel",
    "write_dossiers",
    "seal_dossiers",
    "declare_conflicts",
    "settle_conflicts",
    "assign_readers",
    "open_cases",
    "decline_late",
    "replace_reader",
    "score_first",
    "begin_anew",
    "declare_conflicts_anew",
    "assign_anew",
    "open_cases_anew",
    "score_anew",
    "close_first",
    "ask_questions",
    "hold_hearing",
    "revise_scores",
    "close_final",
    "draft_findings",
    "answer_fact_checks",
    "give_findings",
    "draft_decisions",
    "take_decisions",
    "release_all",
    "object_to_stop",
    "refuse_objection",
    "put_all_in_force",
    "release_roster",
    "meet_conditions",
    "weigh_outcomes",
    "begin_running_round",
    "allocate_the_year",
    "conclude_contracts",
    "state_spending",
    "keep_records",
    "record_education",
    "record_goals",
    "claim_levels",
    "assess_levels",
    "pay_visit",
    "request_plan_changes",
    "open_next_reports",
    "write_next_sections",
    "submit_next_reports",
    "check_next_report",
    "return_next_report",
    "write_documents",
    "queue_reminders",
    "send_mails",
]


@pytest.fixture(scope="module")
def played(django_db_setup, django_db_blocker, tmp_path_factory):
    """The cycle, played once for this module and taken back at its end: what --json says, the documents, the mails."""
    folder = tmp_path_factory.mktemp("cycle")
    with django_db_blocker.unblock(), transaction.atomic():
        if not cast_users():
            make_sample()
        mail.outbox = []
        told = play(folder)
        yield told, folder / "out", list(mail.outbox)
        transaction.set_rollback(True)


@pytest.fixture
def after_play(played, db):
    """What a test does after the play is taken back at its end."""
    return played


def play(folder, **options):
    call_command("play_cycle", out=folder / "out", json=folder / "play.json", **({"now": now()} | options), verbosity=0)
    return json.loads((folder / "play.json").read_text())


def now():
    return datetime.fromisoformat(NOW)


def counts(told):
    return {step["name"]: step["count"] for step in told["steps"]}


def states(fiscal_year):
    rows = ProgressReport.objects.filter(fiscal_year=fiscal_year, is_sample=True).order_by("project__ref")
    return dict(rows.values_list("project__ref", "state"))


def test_cycle_when_played_then_every_step_is_told_and_reports_stand_where_people_have_to_act(after_play, cast):
    told, _folder, _messages = after_play
    assert list(counts(told)) == STEPS
    assert all(set(step) == {"name", "count", "ms"} for step in told["steps"])
    assert set(states(2024).values()) == {"accepted"}
    assert len(states(2024)) == 5
    # sample-ql2-f2 was stopped by its gate before the reports were opened.
    assert states(2025) == {
        "sample-ql1-f1": "drafting",
        "sample-ql1-f2": "checked",
        "sample-ql2-f1": "submitted",
        "sample-ql3-f1": "returned",
    }
    awaited = {
        name: [(row.project.ref, row.awaits) for row in reports_awaiting(cast[name])]
        for name in ("pd1", "po1", "pi1", "pi5", "pd2")
    }
    assert awaited == {
        "pd1": [("sample-ql1-f2", "accept")],
        "po1": [("sample-ql2-f1", "check")],
        "pi1": [("sample-ql1-f1", "write")],
        "pi5": [("sample-ql3-f1", "write")],
        "pd2": [],
    }


def test_cycle_when_played_then_the_round_is_decided_with_all_outcomes_and_another_is_being_scored(after_play):
    told, _folder, _messages = after_play
    assert told["decisions"] == {"continue": 8, "modify": 1, "stop": 1, "defer": 1}
    assert dict(Project.objects.filter(is_sample=True, kind="flagship").values_list("ref", "state")) == {
        "sample-ql1-f1": "running", "sample-ql1-f2": "running", "sample-ql2-f1": "running",
        "sample-ql2-f2": "stopped", "sample-ql3-f1": "running",
    }  # fmt: skip
    assert set(GateDecision.objects.values_list("state", flat=True)) == {"in_force"}
    assert list(Objection.objects.values_list("decision__outcome", "state")) == [("stop", "refused")]
    assert set(Condition.objects.values_list("state", flat=True)) == {"open", "met"}
    again = GateReview.objects.get(project__ref="sample-ql3-f1", round__kind="stage_gate")
    assert (again.state, again.decisions.get().new_case.state) == ("sealed", "preparing")
    assert Round.objects.get(kind="mid_term").state == "open"


def test_cycle_when_played_then_plans_are_in_force_and_one_change_waits_for_the_director(after_play, cast):
    told, _folder, _messages = after_play
    found = PlanVersion.objects.filter(project__is_sample=True).order_by("project__ref", "number")
    assert list(found.values_list("project__ref", "number", "state")) == [
        ("sample-ql1-f1", 1, "approved"), ("sample-ql1-f1", 2, "checked"), ("sample-ql1-f2", 1, "approved"),
        ("sample-ql1-f2", 2, "approved"), ("sample-ql2-f1", 1, "approved"), ("sample-ql2-f1", 2, "approved"),
        ("sample-ql2-f2", 1, "approved"), ("sample-ql2-f2", 2, "approved"), ("sample-ql3-f1", 1, "approved"),
    ]  # fmt: skip
    assert (counts(told)["approve_plans"], counts(told)["request_plan_changes"]) == (5, 2)
    for version in found:
        table = money_table(version)
        assert table.total_yen == sum(year.total_yen for year in table.stated if year) > 0
    assert "plan.confirm" in plan_actions(cast["pd1"], found.get(project__ref="sample-ql1-f1", number=2))


def test_cycle_when_played_then_accepted_reports_are_delivered_and_one_went_back_once(after_play):
    versions = ReportVersion.objects.filter(report__fiscal_year=2024)
    returned = [version.report for version in versions if version.number == 2]
    assert len(returned) == 1
    assert ReportComment.objects.filter(report=returned[0]).count() == 2
    assert versions.count() == 6
    delivered = Deliverable.objects.filter(project__is_sample=True, fiscal_year=2024)
    hashes = {v.report.ref: v.content_hash for v in versions.order_by("number")}
    assert {d.source_ref: d.content_hash for d in delivered} == hashes
    assert all(d.state == "delivered" and d.file_id is not None for d in delivered)
    partner = versions.get(report=returned[0], number=2).content["sections"][-1]
    assert partner["key"] == "partner"
    assert partner["organization_ja"].startswith("見本機関")


def test_cycle_when_played_then_all_its_documents_are_written_as_pdf(after_play):
    told, folder, _messages = after_play
    names = sorted(path.name for path in folder.iterdir())
    flagships = ("ql1-f1", "ql1-f2", "ql2-f1", "ql2-f2", "ql3-f1")
    assert names == [
        *(f"annual-report-2024-sample-{ref}.pdf" for ref in flagships),
        "appointment-letter-2025.pdf",
        *(f"decision-file-2025-sample-{ref}.pdf" for ref in flagships),
        *(f"decision-letter-2025-sample-{ref}.pdf" for ref in flagships),
        *(f"gate-dossier-2025-sample-{ref}.pdf" for ref in flagships),
        "meeting-papers-2025-chair1.pdf",
        "meeting-papers-2025-evaluator1.pdf",
        "pledge-2025.pdf",
        "portfolio-brief.pdf",
    ]
    assert [str(folder / name) for name in names] == sorted(told["documents"])
    for path in folder.iterdir():
        assert path.read_bytes().startswith(b"%PDF-")


def test_cycle_when_played_with_the_same_seed_then_the_same_references_and_so_the_same_documents(after_play):
    with drawn_from(random.Random("1:2024")):
        expected = [new_ref("RPT") for _ in range(5)]
    reports = ProgressReport.objects.filter(fiscal_year=2024).order_by("project__ref")
    assert list(reports.values_list("ref", flat=True)) == expected


def test_cycle_when_played_then_reminders_and_mails_go_out_once(after_play):
    told, _folder, messages = after_play
    reminders = OutgoingMail.objects.filter(event="report_reminder")
    assert reminders.exists()
    assert reminders.values("key").distinct().count() == reminders.count()
    assert set(reminders.values_list("state", flat=True)) == {"sent"}
    assert told["mails"] == len(messages) == OutgoingMail.objects.filter(state="sent").count()
    late = set(ProgressReport.objects.filter(state__in=["drafting", "returned"]).values_list("ref", flat=True))
    team = reminders.filter(recipient_email__startswith="pi")
    assert set(team.values_list("subject_ref", flat=True)) == late
    assert all(message.extra_headers["Message-ID"] for message in messages)


def test_cycle_when_played_again_then_nothing_is_doubled(after_play, tmp_path):
    before = (
        JournalEntry.objects.count(), ProgressReport.objects.count(), ReportVersion.objects.count(),
        OutgoingMail.objects.count(), states(2025), GateDecision.objects.count(), Case.objects.count(),
    )  # fmt: skip
    told = play(tmp_path, seed=7)
    assert {name: count for name, count in counts(told).items() if count} == {"write_documents": 25}
    assert before == (
        JournalEntry.objects.count(), ProgressReport.objects.count(), ReportVersion.objects.count(),
        OutgoingMail.objects.count(), states(2025), GateDecision.objects.count(), Case.objects.count(),
    )  # fmt: skip


def test_cycle_when_played_a_year_later_then_the_next_season_is_played(after_play, tmp_path):
    told = play(tmp_path, now=datetime(2027, 6, 10, 9, 0, tzinfo=TOKYO))
    assert set(states(2025).values()) == {"accepted"}
    assert set(states(2026).values()) == {"drafting", "checked", "submitted", "returned"}
    # The stopped project has neither report nor dossier nor decision any more; the deferred one is reviewed again.
    assert told["decisions"] == {"continue": 8, "modify": 1, "stop": 0, "defer": 1}
    assert len(told["documents"]) == 21


def test_cycle_when_played_then_the_real_portfolio_is_untouched(after_play, cast):
    assert not ProgressReport.objects.filter(is_sample=False).exists()
    assert not projects_visible_to(cast["pi1"]).filter(is_sample=False).exists()


def test_cycle_when_in_production_then_refused_with_the_reason(cast, tmp_path, settings):
    settings.APP_ENVIRONMENT = "production"
    before = ProgressReport.objects.count()
    with override("en"), pytest.raises(CommandError, match="production refuses it"):
        play(tmp_path)
    assert ProgressReport.objects.count() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (datetime(2026, 11, 23, 12, 0, tzinfo=TOKYO), datetime(2026, 6, 10, 9, 0, tzinfo=TOKYO)),
        (datetime(2026, 6, 10, 8, 59, tzinfo=TOKYO), datetime(2025, 6, 10, 9, 0, tzinfo=TOKYO)),
        (datetime(2026, 6, 10, 9, 0, tzinfo=TOKYO), datetime(2026, 6, 10, 9, 0, tzinfo=TOKYO)),
    ],
)
def test_moment_of_the_play_when_none_is_given_then_the_latest_tenth_of_june(clock, expected):
    assert default_now(clock) == expected
