"""From an open report to an accepted one: what each act does, writes down and refuses."""

import threading
from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.translation import override

from common.canonical import content_hash
from common.errors import IllegalMove, NotAllowed, NotReady, Refused, StaleEdit
from common.models import JournalEntry, OutgoingMail
from programs.models import Deliverable, Participation, Project
from reporting.actions.documents import attach_report_pdf
from reporting.actions.reports import (
    accept_report,
    check_report,
    open_due_reports,
    open_report,
    return_report,
    save_section,
    submit_report,
)
from reporting.models import ProgressReport, ReportComment, ReportSchedule, ReportSection, ReportVersion
from reporting.rules import report_blockers
from reporting.schedules import DuePeriod
from tests.reporting.conftest import AT, DUE_ON, FLAGSHIP, TEXT, TOKYO, opened, reread, section_of, written

pytestmark = pytest.mark.django_db


def journal(report):
    rows = JournalEntry.objects.filter(subject_type="reporting.progressreport", subject_id=report.pk)
    return list(rows.order_by("id").values_list("action", "actor_label"))


def actions(report):
    return [action for action, _who in journal(report)]


def mails(report, event):
    rows = OutgoingMail.objects.filter(subject_ref=report.ref, event=event)
    return sorted(address.partition("@")[0] for address in rows.values_list("recipient_email", flat=True))


# Opening --------------------------------------------------------------------------------------------------------------


def test_reports_when_their_day_has_come_in_japan_then_opened_once(cast, twin_program):
    ReportSchedule.objects.filter(program=twin_program).update(first_fiscal_year=2031)
    # 6:00 on 1 April in Japan is still 31 March in UTC.
    morning = datetime(2032, 4, 1, 6, 0, tzinfo=TOKYO)
    Project.objects.filter(program=twin_program).update(end_fiscal_year=2031)
    assert open_due_reports(at=morning - timedelta(days=1)) == []
    made = open_due_reports(at=morning)
    assert [report.project.ref for report in made] == [
        "sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1", "sample-ql2-f2", "sample-ql3-f1",
    ]  # fmt: skip
    assert {(report.fiscal_year, report.due_on, report.state) for report in made} == {
        (2031, date(2032, 5, 31), "drafting")
    }
    assert open_due_reports(at=morning) == []
    assert open_due_reports(at=morning + timedelta(days=400)) == []  # the projects have ended


def test_report_when_opened_then_sections_deliverable_journal_and_mails(cast, twin):
    report = opened(twin[FLAGSHIP], cast["staff1"])
    keys = list(report.sections.order_by("position").values_list("key", flat=True))
    assert keys == ["summary", "progress", "trl", "issues", "next_plan", "partner"]
    partner = Participation.objects.get(project=report.project, role="partner")
    assert section_of(report, "partner").organization_id == partner.organization_id
    awaited = Deliverable.objects.get(project=report.project, fiscal_year=2025)
    assert (awaited.kind, awaited.state, awaited.due_on) == ("annual_report", "awaited", DUE_ON)
    assert journal(report) == [("open_report", cast["staff1"].actor_label)]
    assert mails(report, "report_opened") == ["coinvestigator1", "hq1", "pi1"]
    assert report.is_sample is True
    assert report.ref.startswith("RPT-")


def test_report_when_opened_again_then_the_same(cast, twin):
    first = opened(twin[FLAGSHIP], cast["staff1"])
    assert opened(twin[FLAGSHIP], cast["staff2"]) == first
    assert ReportSection.objects.filter(report=first).count() == 6
    assert actions(first) == ["open_report"]


def test_report_when_of_a_kind_the_plan_does_not_ask_for_then_no_deliverable(cast, twin):
    period = DuePeriod(2025, date(2026, 2, 1), date(2026, 3, 31))
    report = open_report(twin[FLAGSHIP], kind="year_end", period=period, by=cast["staff1"], at=AT)
    written(report, cast)
    submit_report(report, by=cast["pi1"], at=AT)
    check_report(report, by=cast["po1"], at=AT)
    assert accept_report(report, by=cast["pd1"], at=AT).state == "accepted"
    assert not Deliverable.objects.filter(project=report.project, fiscal_year=2025).exists()


def test_report_when_the_project_has_stopped_then_not_opened(cast, twin, twin_program):
    ReportSchedule.objects.filter(program=twin_program).update(first_fiscal_year=2031)
    Project.objects.filter(program=twin_program).update(end_fiscal_year=2031)
    Project.objects.filter(pk=twin[FLAGSHIP].pk).update(state="stopped")
    made = open_due_reports(at=datetime(2032, 4, 1, 6, 0, tzinfo=TOKYO))
    assert {report.project.ref for report in made} == {
        "sample-ql1-f2", "sample-ql2-f1", "sample-ql2-f2", "sample-ql3-f1",
    }  # fmt: skip


# Writing --------------------------------------------------------------------------------------------------------------


def test_section_when_saved_then_version_grows_and_the_journal_says_how_long_not_what(cast, report_at):
    report = report_at()
    section = save_section(section_of(report, "summary"), text="要旨\r\n二行目", version=0, by=cast["pi1"], at=AT)
    assert (section.text, section.version, section.saved_by, section.saved_at) == ("要旨\n二行目", 1, cast["pi1"], AT)
    entry = JournalEntry.objects.get(action="save_section", subject_ref=report.ref)
    assert entry.after == {"section": "summary", "version": 1, "characters": 6}


def test_section_when_saved_without_change_then_nothing_happens(cast, report_at):
    report = report_at()
    for _ in range(2):
        section = section_of(report, "summary")
        save_section(section, text=TEXT, version=section.version, by=cast["pi1"], at=AT)
    assert section_of(report, "summary").version == 1
    assert actions(report).count("save_section") == 1


def test_section_when_two_save_it_then_the_second_sees_both_texts_and_nothing_is_lost(cast, report_at):
    report = report_at()
    seen = section_of(report, "progress")
    save_section(seen, text="代表者の文", version=0, by=cast["pi1"], at=AT)
    with pytest.raises(StaleEdit) as refusal:
        save_section(seen, text="HQの文", version=0, by=cast["hq1"], at=AT)
    assert (refusal.value.current.text, refusal.value.current.version, refusal.value.submitted) == (
        "代表者の文", 1, "HQの文",
    )  # fmt: skip
    assert section_of(report, "progress").text == "代表者の文"
    save_section(seen, text="二人の文", version=1, by=cast["hq1"], at=AT)
    assert section_of(report, "progress").text == "二人の文"


def test_section_when_the_same_text_comes_twice_then_no_conflict(cast, report_at):
    seen = section_of(report_at(), "progress")
    save_section(seen, text=TEXT, version=0, by=cast["pi1"], at=AT)
    assert save_section(seen, text=TEXT, version=0, by=cast["pi1"], at=AT).version == 1


def test_summary_when_800_characters_then_saved_and_801_refused_with_by_how_much(cast, report_at):
    section = section_of(report_at(), "summary")
    save_section(section, text="𠮷" + "量" * 799, version=0, by=cast["pi1"], at=AT)
    with override("ja"), pytest.raises(Refused) as refusal:
        save_section(section, text="𠮷" + "量" * 800, version=1, by=cast["pi1"], at=AT)
    assert refusal.value.code == "too_long"
    assert all(figure in refusal.value.message for figure in ("801", "800"))
    assert section_of(section.report, "summary").version == 1


def test_long_section_when_beyond_20000_then_refused(cast, report_at):
    section = section_of(report_at(), "progress")
    with pytest.raises(Refused):
        save_section(section, text="量" * 20_001, version=0, by=cast["pi1"], at=AT)
    assert save_section(section, text="量" * 20_000, version=0, by=cast["pi1"], at=AT).version == 1


@pytest.mark.parametrize(
    ("who", "key", "may"),
    [
        ("pi1", "summary", True),
        ("pi1", "partner", True),
        ("hq1", "summary", True),
        ("hq1", "partner", True),
        ("coinvestigator1", "partner", True),
        ("coinvestigator1", "summary", False),
        ("coinvestigator2", "partner", False),
        ("pi2", "summary", False),
        ("po1", "summary", False),
        ("pd1", "summary", False),
        ("staff1", "summary", False),
        ("office1", "summary", False),
        ("office2", "partner", False),
        ("auditor1", "summary", False),
        ("evaluator2", "summary", False),
        ("jst1", "summary", False),
    ],
)
def test_section_when_somebody_writes_then_only_the_owner_may(cast, report_at, who, key, may):
    section = section_of(report_at(), key)
    if may:
        assert save_section(section, text=TEXT, version=0, by=cast[who], at=AT).version == 1
        return
    before = JournalEntry.objects.count()
    with pytest.raises(NotAllowed):
        save_section(section, text=TEXT, version=0, by=cast[who], at=AT)
    assert section_of(section.report, key).version == 0
    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("state", ["submitted", "checked", "accepted"])
def test_section_when_the_report_is_handed_in_then_locked_for_everybody(cast, report_at, state):
    section = section_of(report_at(state), "summary")
    with pytest.raises(NotAllowed):
        save_section(section, text="後から", version=section.version, by=cast["pi1"], at=AT)
    assert section_of(section.report, "summary").text == TEXT


# Handing in -----------------------------------------------------------------------------------------------------------


def test_report_when_incomplete_then_refused_with_everything_missing_and_who_owes_it(cast, report_at):
    report = report_at()
    save_section(section_of(report, "trl"), text=TEXT, version=0, by=cast["pi1"], at=AT)
    ReportSection.objects.filter(report=report, key="summary").update(text="量" * 801)
    with override("ja"), pytest.raises(NotReady) as refusal:
        submit_report(report, by=cast["pi1"], at=AT)
    found = {(blocker.field, blocker.code) for blocker in refusal.value.blockers}
    partner = section_of(report, "partner")
    assert found == {
        (f"section-{section_of(report, 'summary').pk}", "too_long"),
        (f"section-{section_of(report, 'progress').pk}", "empty"),
        (f"section-{section_of(report, 'issues').pk}", "empty"),
        (f"section-{section_of(report, 'next_plan').pk}", "empty"),
        (f"section-{partner.pk}", "empty"),
    }
    with override("ja"):
        said = next(b.message for b in report_blockers(report) if b.field == f"section-{partner.pk}")
        assert partner.organization.name_ja in said
    assert reread(report).state == "drafting"
    assert not ReportVersion.objects.filter(report=report).exists()
    assert "submit_report" not in actions(report)


def test_report_when_submitted_then_frozen_with_its_figures_and_the_po_is_told(cast, report_at):
    report = report_at("submitted")
    version = ReportVersion.objects.get(report=report)
    content = version.content
    assert (version.number, version.frozen_by, version.content_hash) == (1, cast["pi1"], content_hash(content))
    assert content["report"]["ref"] == report.ref
    assert content["report"]["submitted_at"] == "2026-06-01T05:30:00+09:00"
    assert [section["text"] for section in content["sections"]] == [TEXT] * 6
    assert [row["role"] for row in content["institutions"]] == ["lead", "partner", "subcontractor"]
    assert {row["role"] for row in content["members"]} == {"principal_investigator", "co_investigator"}
    assert content["project"]["target_trl"] == 6
    assert len(content["trl"]) == report.project.trl_assessments.count()
    assert len(content["milestones"]) == report.project.milestones.count()
    assert content["award_numbers"] == []
    assert {row["fiscal_year"]: row["allocated_yen"] for row in content["money"]}[2022] == 330_000_000
    assert mails(report, "report_submitted") == ["po1"]
    assert actions(report)[-1] == "submit_report"


def test_report_when_submitted_by_a_reader_of_english_then_its_content_is_japanese_all_the_same(cast, report_at):
    with override("en"):
        report = report_at("submitted")
    assert report.project.title_en
    assert report.versions.get().content["project"]["label"] == report.project.title_ja


@pytest.mark.parametrize("who", ["coinvestigator1", "hq1", "po1", "pd1", "staff1", "office1", "pi2", "auditor1"])
def test_report_when_somebody_else_submits_then_refused(cast, report_at, who):
    report = written(report_at(), cast)
    with pytest.raises(NotAllowed):
        submit_report(report, by=cast[who], at=AT)
    assert reread(report).state == "drafting"


def test_report_when_submitted_twice_then_refused_by_its_state(cast, report_at):
    with pytest.raises(IllegalMove):
        submit_report(report_at("submitted"), by=cast["pi1"], at=AT)


def test_version_when_somebody_changes_it_then_the_database_refuses(report_at):
    version = ReportVersion.objects.get(report=report_at("submitted"))
    for change in ({"content": {}}, {"content_hash": "0" * 64}, {"number": 9}):
        with pytest.raises(DatabaseError), transaction.atomic():
            ReportVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        version.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        ProgressReport.objects.filter(pk=version.report_id).update(state="drafting")


# Checking, returning, accepting ---------------------------------------------------------------------------------------


def test_report_when_checked_then_the_pd_is_told(cast, report_at):
    report = report_at("submitted")
    report = check_report(report, by=cast["po1"], at=AT)
    assert (report.state, report.checked_by, report.checked_at) == ("checked", cast["po1"], AT)
    assert mails(report, "report_checked") == ["deputy1", "pd1"]


@pytest.mark.parametrize("who", ["pi1", "pd1", "po2", "staff1", "hq1", "auditor1"])
def test_report_when_not_the_po_of_the_area_checks_then_refused(cast, report_at, who):
    report = report_at("submitted")
    with pytest.raises(NotAllowed):
        check_report(report, by=cast[who], at=AT)
    assert reread(report).state == "submitted"


def test_report_when_returned_then_comments_stand_at_the_sections_and_the_team_is_told(cast, report_at):
    report = report_at("submitted")
    summary, trl = section_of(report, "summary"), section_of(report, "trl")
    comments = {summary.pk: " 短く。 ", trl.pk: "根拠を。", section_of(report, "issues").pk: "  "}
    report = return_report(report, comments=comments, general="全体として良い。", by=cast["po1"], at=AT)
    assert report.state == "returned"
    said = ReportComment.objects.filter(report=report).order_by("id")
    assert [(one.section_id, one.text, one.by) for one in said] == [
        (summary.pk, "短く。", cast["po1"]), (trl.pk, "根拠を。", cast["po1"]), (None, "全体として良い。", cast["po1"]),
    ]  # fmt: skip
    assert mails(report, "report_returned") == ["coinvestigator1", "hq1", "pi1"]
    bodies = OutgoingMail.objects.filter(subject_ref=report.ref).values_list("body", flat=True)
    assert not any("根拠を" in body for body in bodies)


def test_report_when_returned_without_a_comment_then_refused(cast, report_at):
    report = report_at("submitted")
    with pytest.raises(Refused) as refusal:
        return_report(report, comments={section_of(report, "trl").pk: " \n"}, by=cast["po1"], at=AT)
    assert refusal.value.code == "no_comment"
    assert reread(report).state == "submitted"


def test_report_when_the_comment_names_a_section_of_another_report_then_refused(cast, report_at, twin):
    report, other = report_at("submitted"), opened(twin["sample-ql1-f2"], cast["staff1"])
    with pytest.raises(Refused):
        return_report(report, comments={section_of(other, "trl").pk: "?"}, by=cast["po1"], at=AT)
    assert not ReportComment.objects.filter(report__in=[report, other]).exists()


def test_comment_when_somebody_changes_it_then_the_database_refuses(report_at):
    comment = ReportComment.objects.get(report=report_at("returned"))
    with pytest.raises(DatabaseError), transaction.atomic():
        ReportComment.objects.filter(pk=comment.pk).update(text="別の文")
    with pytest.raises(DatabaseError), transaction.atomic():
        comment.delete()


def test_report_when_returned_and_submitted_again_then_a_second_version_and_the_first_stays(cast, report_at):
    report = report_at("returned")
    section = section_of(report, "progress")
    save_section(section, text=TEXT + "図を足した。", version=section.version, by=cast["pi1"], at=AT)
    submit_report(report, by=cast["pi1"], at=AT + timedelta(days=3))
    first, second = ReportVersion.objects.filter(report=report).order_by("number")
    assert [first.number, second.number] == [1, 2]
    assert first.content["sections"][1]["text"] == TEXT
    assert second.content["sections"][1]["text"] == TEXT + "図を足した。"
    assert first.content_hash != second.content_hash
    assert mails(report, "report_submitted") == ["po1", "po1"]


def test_report_when_the_pd_returns_it_then_it_is_checked_again(cast, report_at):
    report = report_at("checked")
    report = return_report(report, comments={}, general="再考を。", by=cast["pd1"], at=AT)
    submit_report(report, by=cast["pi1"], at=AT)
    report = reread(report)
    assert (report.state, report.checked_by, report.checked_at) == ("submitted", None, None)


@pytest.mark.parametrize("who", ["pd1", "deputy1"])
def test_report_when_accepted_then_delivered_and_the_team_is_told(cast, report_at, who):
    report = report_at("checked")
    report = accept_report(report, by=cast[who], at=AT)
    version = ReportVersion.objects.get(report=report)
    delivered = Deliverable.objects.get(project=report.project, fiscal_year=2025)
    assert (report.state, report.accepted_by, report.accepted_at) == ("accepted", cast[who], AT)
    assert (delivered.state, delivered.source_ref, delivered.content_hash) == (
        "delivered", report.ref, version.content_hash,
    )  # fmt: skip
    assert mails(report, "report_accepted") == ["coinvestigator1", "hq1", "pi1"]
    assert actions(report)[-3:] == ["submit_report", "check_report", "accept_report"]


@pytest.mark.parametrize("who", ["pi1", "po1", "pd2", "staff1", "hq1", "auditor1", "office1", "jst1"])
def test_report_when_not_the_pd_of_the_area_accepts_then_refused(cast, report_at, who):
    report = report_at("checked")
    with pytest.raises(NotAllowed):
        accept_report(report, by=cast[who], at=AT)
    assert reread(report).state == "checked"


def test_report_when_the_pd_accepts_before_the_check_then_refused_by_its_state(cast, report_at):
    with pytest.raises(IllegalMove):
        accept_report(report_at("submitted"), by=cast["pd1"], at=AT)


def test_report_when_accepted_then_nothing_moves_it_again(cast, report_at):
    report = report_at("accepted")
    for act in (
        lambda: submit_report(report, by=cast["pi1"], at=AT),
        lambda: return_report(report, comments={}, general="?", by=cast["pd1"], at=AT),
        lambda: accept_report(report, by=cast["pd1"], at=AT),
    ):
        with pytest.raises(IllegalMove):
            act()
    with pytest.raises(DatabaseError), transaction.atomic():
        ProgressReport.objects.filter(pk=report.pk).update(state="returned")


def test_report_when_accepted_by_its_submitter_then_the_database_refuses(cast, report_at):
    report = report_at("checked")
    with pytest.raises(DatabaseError, match="report_accepted_by_another"), transaction.atomic():
        ProgressReport.objects.filter(pk=report.pk).update(state="accepted", accepted_by=cast["pi1"], accepted_at=AT)


# The PDF --------------------------------------------------------------------------------------------------------------


def test_pdf_when_attached_twice_then_one_file(report_at):
    version = ReportVersion.objects.get(report=report_at("submitted"))
    first = attach_report_pdf(version.pk, at=AT)
    assert attach_report_pdf(version.pk, at=AT) == first
    version.refresh_from_db()
    assert (version.pdf, first.content_type, first.is_sample) == (first, "application/pdf", True)
    assert actions(version.report).count("attach_report_pdf") == 1


def test_pdf_when_typeset_after_the_acceptance_then_the_deliverable_gets_it_too(report_at):
    report = report_at("accepted")
    delivered = Deliverable.objects.get(project=report.project, fiscal_year=2025)
    assert delivered.file is None
    stored = attach_report_pdf(ReportVersion.objects.get(report=report).pk, at=AT)
    delivered.refresh_from_db()
    assert delivered.file == stored


# Many at once ---------------------------------------------------------------------------------------------------------


def at_once(number, act):
    """Runs `act(n)` in threads that start together, each with its own connection; returns what each answered."""
    barrier, answers = threading.Barrier(number), []

    def run(n):
        try:
            barrier.wait()
            answers.append(act(n))
        except Refused as refusal:
            answers.append(type(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_report_when_8_submit_at_once_then_one_does_and_the_others_are_told(cast, report_at):
    report = written(report_at(), cast)
    answers = at_once(8, lambda n: submit_report(report, by=cast["pi1"], at=AT))
    assert [answer for answer in answers if isinstance(answer, ReportVersion)] == list(
        ReportVersion.objects.filter(report=report)
    )
    assert answers.count(IllegalMove) == 7
    assert actions(report).count("submit_report") == 1
    assert mails(report, "report_submitted") == ["po1"]


@pytest.mark.django_db(transaction=True)
def test_section_when_8_save_at_once_then_one_wins_and_the_others_get_their_text_back(cast, report_at):
    section = section_of(report_at(), "summary")
    answers = at_once(8, lambda n: save_section(section, text=f"文{n}", version=0, by=cast["pi1"], at=AT))
    saved = [answer for answer in answers if isinstance(answer, ReportSection)]
    assert (len(saved), answers.count(StaleEdit)) == (1, 7)
    assert section_of(section.report, "summary").text == saved[0].text


@pytest.mark.django_db(transaction=True)
def test_reports_when_3_jobs_open_at_once_then_each_report_once(cast, twin_program):
    ReportSchedule.objects.filter(program=twin_program).update(first_fiscal_year=2031)
    Project.objects.filter(program=twin_program).update(end_fiscal_year=2031)
    at_once(3, lambda n: open_due_reports(at=datetime(2032, 4, 1, 6, 0, tzinfo=TOKYO)))
    made = ProgressReport.objects.filter(fiscal_year=2031)
    assert made.count() == 5
    assert ReportSection.objects.filter(report__in=made).count() == 30
    assert JournalEntry.objects.filter(action="open_report", subject_id__in=made.values("pk")).count() == 5
