"""One whole cycle on the sample twin, through the same actions a person uses; `play_cycle` prints it.

The past year's five annual reports go all the way: written, submitted, one returned and submitted again, checked,
accepted. The present year's stand where people have something to do: one waits for the PD, one for the PO, one was
returned, two are late. A second run finds each report where it stands and leaves what people have done since.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import User
from common.business_days import AFTER, shifted
from common.files import opened
from common.fiscal_year import fiscal_year_of
from common.mail import send_queued
from common.models import OutgoingMail
from common.refs import drawn_from
from programs.actions.allocations import approve_allocation
from programs.actions.plans import approve_plan, check_plan, confirm_plan, propose_plan_approval, submit_plan
from programs.models import PlanVersion, Project
from reporting.actions.documents import attach_report_pdf
from reporting.actions.reminders import send_due_reminders
from reporting.actions.reports import (
    accept_report,
    check_report,
    open_due_reports,
    return_report,
    save_section,
    submit_report,
)
from reporting.documents import portfolio_brief_pdf
from reporting.models import ProgressReport, ReportSection, ReportVersion
from reporting.rules import WRITABLE
from reporting.sample_benchmarks import record_benchmarks
from reporting.sample_cast import FLAGSHIPS, Users, build_sample
from reporting.sample_contracts import conclude_year, propose_split, state_year
from reporting.sample_decisions import decision_papers, outcomes_of
from reporting.sample_kinds import record_education, record_goals
from reporting.sample_plans import open_versions, request_change, write_first_plan
from reporting.sample_records import DATA, sample_data
from reporting.sample_reviews import panel_papers
from reporting.sample_risks import keep_records
from reporting.sample_rounds import (
    SCRIPT,
    RoundPlan,
    begin_running_round,
    gate_round,
    running_round,
    typeset_dossiers,
)
from reporting.sample_scenarios import weigh_outcomes
from reporting.sample_trl import assess_level, claim_level
from reporting.sample_visits import pay_visit, put_policy
from reporting.states import CHECKED, DRAFTING, RETURNED, SUBMITTED

TOKYO = ZoneInfo("Asia/Tokyo")
#: The present season: who has got how far. The others stay drafts and are late.
HANDED_IN = ("ql1-f2", "ql2-f1", "ql3-f1")
CHECKED_BY_PO = ("ql1-f2",)
RETURNED_BY_PO = ("ql3-f1",)
REMINDER_DAYS = 21


def default_now(clock: datetime) -> datetime:
    """This function will return the moment at which the cycle stands: 10 June, 9:00, of the latest season."""
    local = clock.astimezone(TOKYO)
    moment = datetime(local.year, 6, 10, 9, 0, tzinfo=TOKYO)
    return moment if moment <= local else moment.replace(year=local.year - 1)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the play: what was done, how often, in how many milliseconds."""

    name: str
    count: int
    ms: int


@dataclass(slots=True)
class Cycle:
    """One play: the moment it stands at, the seed of its choices, where the documents go, what it made.

    `clock` is the moment at which it is played: the running round is open then.
    """

    now: datetime
    clock: datetime
    seed: int
    out: Path
    users: Users = field(default_factory=dict)
    documents: list[Path] = field(default_factory=list)
    decisions: dict[str, int] = field(default_factory=dict)
    mails: int = 0

    @property
    def present(self) -> int:
        """The fiscal year whose reports are being written: the last whole one."""
        return fiscal_year_of(self.now) - 1

    @property
    def past(self) -> int:
        return self.present - 1

    def at(self, fiscal_year: int, month: int, day: int) -> datetime:
        """This function will return 10:00 of a business day in the season of this year's reports, never after now."""
        there = shifted(date(fiscal_year + 1, month, day), AFTER)
        return min(datetime(there.year, there.month, there.day, 10, 0, tzinfo=TOKYO), self.now)

    def on(self, year: int, month: int, day: int) -> datetime:
        """This function will return 10:00 of this business day, never after now."""
        there = shifted(date(year, month, day), AFTER)
        return min(datetime(there.year, there.month, there.day, 10, 0, tzinfo=TOKYO), self.now)

    def chosen(self) -> str:
        """The Flagship whose past report is returned once."""
        return random.Random(self.seed).choice(FLAGSHIPS)  # a choice for a play, not a secret


def play(cycle: Cycle, tell: Callable[[Step], None]) -> list[Step]:
    """This function will play all steps in order, tell each as it is done, and return them.

    Raises `SampleRefused` in production and before the portfolio has been loaded.
    """
    past, present = cycle.past, cycle.present
    script: list[tuple[str, Callable[[], int]]] = [
        ("build_sample_as_of_last_season", lambda: _build(cycle, cycle.at(past, 6, 30).date())),
        ("write_plans", lambda: _write_plans(cycle, cycle.on(past, 4, 8))),
        ("submit_plans", lambda: _carry_plans(cycle, "drafting", cycle.on(past, 4, 10))),
        ("check_plans", lambda: _carry_plans(cycle, "submitted", cycle.on(past, 4, 15))),
        ("confirm_plans", lambda: _carry_plans(cycle, "checked", cycle.on(past, 4, 18))),
        ("propose_plan_approvals", lambda: _carry_plans(cycle, "confirmed", cycle.on(past, 4, 22))),
        ("approve_plans", lambda: _carry_plans(cycle, "in_approval", cycle.on(past, 4, 25))),
        ("record_benchmarks", lambda: _benchmarks(cycle, cycle.on(past, 5, 7))),
        ("put_policy_in_force", lambda: _policy(cycle, cycle.on(past, 5, 12))),
        ("open_reports", lambda: _open(cycle, past)),
        ("write_sections", lambda: _write(cycle, past, "first", cycle.at(past, 5, 15))),
        ("submit_reports", lambda: _submit(cycle, past, FLAGSHIPS, cycle.at(past, 5, 25))),
        ("return_with_comments", lambda: _return(cycle, past, [cycle.chosen()], "returned", cycle.at(past, 6, 2))),
        ("answer_and_submit_again", lambda: _answer(cycle, past, cycle.at(past, 6, 9))),
        ("typeset_reports", lambda: _typeset(past, cycle.at(past, 6, 10))),
        ("check_reports", lambda: _check(cycle, past, FLAGSHIPS, cycle.at(past, 6, 13))),
        ("accept_reports", lambda: _accept(cycle, past, cycle.at(past, 6, 20))),
        ("build_sample_as_of_now", lambda: _build(cycle, cycle.now.date())),
        *((act.__name__, partial(_round, cycle, act)) for act in (*SCRIPT, weigh_outcomes)),
        ("begin_running_round", lambda: _begin_running_round(cycle)),
        ("allocate_the_year", lambda: _allocate(cycle, cycle.on(present + 1, 4, 2))),
        ("conclude_contracts", lambda: _contract(cycle, cycle.on(present, 4, 6))),
        ("state_spending", lambda: _state_spending(cycle, cycle.on(present + 1, 4, 20))),
        ("keep_records", lambda: _keep_records(cycle, cycle.at(present, 5, 8))),
        ("record_education", lambda: record_education(by=cycle.users["pi5"], at=cycle.at(present, 4, 9))),
        ("record_goals", lambda: record_goals(by=cycle.users["pi5"], at=cycle.at(present, 4, 9))),
        ("claim_levels", lambda: _levels(cycle, "claimed")),
        ("assess_levels", lambda: _levels(cycle, "assessed")),
        ("pay_visit", lambda: _visit(cycle, cycle.on(past + 1, 11, 12))),
        ("request_plan_changes", lambda: _request_changes(cycle, cycle.at(present, 6, 1))),
        ("open_next_reports", lambda: _open(cycle, present)),
        ("write_next_sections", lambda: _write(cycle, present, "next", cycle.at(present, 5, 18))),
        ("submit_next_reports", lambda: _submit(cycle, present, HANDED_IN, cycle.at(present, 5, 27))),
        ("check_next_report", lambda: _check(cycle, present, CHECKED_BY_PO, cycle.at(present, 6, 3))),
        (
            "return_next_report",
            lambda: _return(cycle, present, RETURNED_BY_PO, "returned_again", cycle.at(present, 6, 4)),
        ),
        ("write_documents", lambda: _documents(cycle)),
        ("queue_reminders", lambda: _remind(cycle)),
        ("send_mails", lambda: _send(cycle)),
    ]
    done = []
    for name, act in script:
        started = time.perf_counter()
        step = Step(name, act(), round((time.perf_counter() - started) * 1000))
        tell(step)
        done.append(step)
    cycle.decisions = outcomes_of(gate_round(cycle.users, cycle.present, cycle.now))
    return done


# Steps ----------------------------------------------------------------------------------------------------------------


def _build(cycle: Cycle, on: date) -> int:
    sample = build_sample(on=on, reports_from=cycle.past)
    cycle.users = sample.users
    return sample.people_made + sample.roles_made + sample.records_made


def _benchmarks(cycle: Cycle, at: datetime) -> int:
    flagships = _flagships()
    return sum(
        record_benchmarks(flagships[ref], rows, by=_pi(cycle, ref), at=at)
        for ref, rows in sample_data("sample_benchmarks.json")["benchmarks"].items()
    )


def _policy(cycle: Cycle, at: datetime) -> int:
    area = _flagships()["ql1-f1"].area
    assert area is not None
    with drawn_from(random.Random(f"{cycle.seed}:policy")):
        return put_policy(area, cycle.users, at=at)


def _visit(cycle: Cycle, at: datetime) -> int:
    with drawn_from(random.Random(f"{cycle.seed}:visit")):
        return pay_visit(_flagships()["ql1-f1"], cycle.users, at=at, now=cycle.now)


def _flagships() -> dict[str, Project]:
    wanted = [f"sample-{flagship}" for flagship in FLAGSHIPS]
    rows = Project.objects.filter(ref__in=wanted).select_related("program", "area").order_by("ref")
    return {project.ref.removeprefix("sample-"): project for project in rows}


def _write_plans(cycle: Cycle, at: datetime) -> int:
    with drawn_from(random.Random(f"{cycle.seed}:plans")):
        return sum(write_first_plan(project, by=_pi(cycle, ref), at=at) for ref, project in _flagships().items())


def _carry_plans(cycle: Cycle, state: str, at: datetime) -> int:
    """The first versions in this state, one step further, each by whom it waits for."""
    versions = [version for version in open_versions(_flagships().values(), state) if version.number == 1]
    for version in versions:
        _carry(cycle, version, at)
    return len(versions)


def _carry(cycle: Cycle, version: PlanVersion, at: datetime) -> PlanVersion:
    flagship = version.project.ref.removeprefix("sample-")
    staff1, staff2 = cycle.users["staff1"], cycle.users["staff2"]
    match version.state:
        case PlanVersion.State.DRAFTING:
            return submit_plan(version, by=_pi(cycle, flagship), at=at)
        case PlanVersion.State.SUBMITTED:
            return check_plan(version, by=_po(cycle, flagship), at=at)
        case PlanVersion.State.CHECKED:
            return confirm_plan(version, by=cycle.users[f"pd{_area(flagship)}"], at=at)
        case PlanVersion.State.CONFIRMED:
            number = f"見本第{version.number}-{_number(flagship)}号"
            return propose_plan_approval(version, decision_number=number, by=staff1, at=at)
    today = at.date()
    return approve_plan(version, decided_on=today, effective_on=today, by=staff2, at=at)


def _round(cycle: Cycle, act: Callable[[RoundPlan], int]) -> int:
    """One act in the year's stage-gate round; the references come from the seed."""
    with drawn_from(random.Random(f"{cycle.seed}:{cycle.present}:{act.__name__}")):
        return act(gate_round(cycle.users, cycle.present, cycle.now))


def _begin_running_round(cycle: Cycle) -> int:
    """A round that is being scored at the present moment, so that evaluators have something to do."""
    with drawn_from(random.Random(f"{cycle.seed}:running:{cycle.clock:%Y-%m-%d}")):
        return begin_running_round(running_round(cycle.users, cycle.clock))


def _allocate(cycle: Cycle, at: datetime) -> int:
    """The PD of area 1 splits the year that begins, the ministry approves; the split of area 2 waits for its decision."""
    flagships, year = _flagships(), cycle.present + 1
    with drawn_from(random.Random(f"{cycle.seed}:allocation:1:{year}")):
        first = propose_split(flagships["ql1-f1"].area, year, by=cycle.users["pd1"], at=at)
    if first is not None:
        number = f"見本配第{year}-1号"
        approve_allocation(first, decision_number=number, decided_on=at.date(), by=cycle.users["staff2"], at=at)
    with drawn_from(random.Random(f"{cycle.seed}:allocation:2:{year}")):
        second = propose_split(flagships["ql2-f1"].area, year, by=cycle.users["pd2"], at=at)
    return sum(one is not None for one in (first, second))


def _contract(cycle: Cycle, at: datetime) -> int:
    """The first Flagship's contracts of the year before and the year that began, one institution after the other."""
    users = (cycle.users["staff1"], cycle.users["staff2"])
    with drawn_from(random.Random(f"{cycle.seed}:contracts:{cycle.present}")):
        return sum(
            conclude_year(_flagships()["ql1-f1"], year, users=users, at=max(at, cycle.on(year, 4, 6)))
            for year in (cycle.present, cycle.present + 1)
        )


def _keep_records(cycle: Cycle, at: datetime) -> int:
    """Risks, collaborations and the data management plan of the first Flagship."""
    with drawn_from(random.Random(f"{cycle.seed}:records")):
        return keep_records(_flagships()["ql1-f1"], by=_pi(cycle, "ql1-f1"), officer=_po(cycle, "ql1-f1"), at=at)


def _state_spending(cycle: Cycle, at: datetime) -> int:
    users = (cycle.users["accountant1"], cycle.users["office2"])
    with drawn_from(random.Random(f"{cycle.seed}:spending:{cycle.present}")):
        return state_year(_flagships()["ql1-f1"], cycle.present, users=users, at=at)


def _request_changes(cycle: Cycle, at: datetime) -> int:
    """One request waits for the PD, a notice is carried to its approval."""
    flagships, done = _flagships(), 0
    for flagship, kind, days, steps in (("ql1-f1", "approval", 85, 1), ("ql2-f1", "notice", -14, 4)):
        with drawn_from(random.Random(f"{cycle.seed}:change:{flagship}")):
            version = request_change(flagships[flagship], kind=kind, days=days, by=_pi(cycle, flagship), at=at)
        if version is not None:
            for _step in range(steps):
                version = _carry(cycle, version, at)
            done += 1
    return done


def _levels(cycle: Cycle, act: str) -> int:
    """The present season's claims by the PI, then their assessments by the PD."""
    done = 0
    for row in sample_data("sample_trl.json")["rounds"]:
        project = Project.objects.get(ref=f"sample-{row['project']}")
        at = cycle.at(cycle.present, *row[act])
        if act == "claimed":
            done += claim_level(project, row, by=_pi(cycle, row["project"]), at=at)
        else:
            done += assess_level(project, row, by=cycle.users[f"pd{_area(row['project'])}"], at=at)
    return done


def _open(cycle: Cycle, fiscal_year: int) -> int:
    """As the timetable does it on 1 April; the references come from the seed, so that the PDFs do not differ."""
    at = min(datetime(fiscal_year + 1, 4, 1, 6, 0, tzinfo=TOKYO), cycle.now)
    with transaction.atomic(), drawn_from(random.Random(f"{cycle.seed}:{fiscal_year}")):
        return len(open_due_reports(at=at))


def _write(cycle: Cycle, fiscal_year: int, season: str, at: datetime) -> int:
    """The PI writes the team's sections, the co-investigator the partner's part; what is written stays."""
    saved = 0
    for report, flagship in _reports(fiscal_year, FLAGSHIPS):
        texts = _texts(season, flagship)
        for section in report.sections.filter(version=0).order_by("position"):
            if report.state in WRITABLE and section.key in texts:
                save_section(section, text=texts[section.key], version=0, by=_writer(cycle, flagship, section), at=at)
                saved += 1
    return saved


def _submit(cycle: Cycle, fiscal_year: int, flagships: Iterable[str], at: datetime) -> int:
    done = 0
    for report, flagship in _reports(fiscal_year, flagships):
        if report.state == DRAFTING:
            submit_report(report, by=_pi(cycle, flagship), at=at)
            done += 1
    return done


def _return(cycle: Cycle, fiscal_year: int, flagships: Iterable[str], comments: str, at: datetime) -> int:
    done = 0
    for report, flagship in _reports(fiscal_year, flagships):
        if report.state == SUBMITTED and not report.comments.exists():
            said = sample_data("sample_reports/comments.json")[comments]
            sections = {section.key: section.pk for section in report.sections.all()}
            return_report(
                report, comments={sections[key]: text for key, text in said.items()}, by=_po(cycle, flagship), at=at
            )
            done += 1
    return done


def _answer(cycle: Cycle, fiscal_year: int, at: datetime) -> int:
    """The PI adds to each section that was commented on, and hands in the next version."""
    answers = sample_data("sample_reports/comments.json")["answered"]
    done = 0
    for report, flagship in _reports(fiscal_year, FLAGSHIPS):
        if report.state != RETURNED:
            continue
        for section in report.sections.filter(comments__isnull=False).distinct():
            text = f"{section.text}\n\n{answers.get(section.key, answers['any'])}"
            save_section(section, text=text, version=section.version, by=_pi(cycle, flagship), at=at)
        submit_report(report, by=_pi(cycle, flagship), at=at)
        done += 1
    return done


def _check(cycle: Cycle, fiscal_year: int, flagships: Iterable[str], at: datetime) -> int:
    done = 0
    for report, flagship in _reports(fiscal_year, flagships):
        if report.state == SUBMITTED:
            check_report(report, by=_po(cycle, flagship), at=at)
            done += 1
    return done


def _accept(cycle: Cycle, fiscal_year: int, at: datetime) -> int:
    done = 0
    for report, flagship in _reports(fiscal_year, FLAGSHIPS):
        if report.state == CHECKED:
            accept_report(report, by=cycle.users[f"pd{_area(flagship)}"], at=at)
            done += 1
    return done


def _typeset(fiscal_year: int, at: datetime) -> int:
    """The PDF of each latest version, as the worker makes it after a submission; kept before the acceptance."""
    done = 0
    for version in _latest_versions(fiscal_year):
        if version.pdf_id is None:
            attach_report_pdf(version.pk, at=at)
            done += 1
    return done


def _documents(cycle: Cycle) -> int:
    """The PDF of each past report's latest version and the brief on the real portfolio, as an officer takes them."""
    cycle.out.mkdir(parents=True, exist_ok=True)
    for version in _latest_versions(cycle.past):
        with opened(attach_report_pdf(version.pk, at=cycle.now)) as file:
            name = f"annual-report-{version.report.fiscal_year}-{version.report.project.ref}.pdf"
            _keep_document(cycle, name, file.read())
    plan = gate_round(cycle.users, cycle.present, cycle.now)
    for ref, stored in typeset_dossiers(plan):
        with opened(stored) as file:
            _keep_document(cycle, f"gate-dossier-{cycle.present}-{ref}.pdf", file.read())
    for name, stored in decision_papers(plan):
        with opened(stored) as file:
            _keep_document(cycle, f"{name}.pdf", file.read())
    for name, content in panel_papers(plan):
        _keep_document(cycle, f"{name}.pdf", content)
    brief = portfolio_brief_pdf(cycle.users["staff1"], on=cycle.now.date())
    _keep_document(cycle, "portfolio-brief.pdf", brief)
    return len(cycle.documents)


def _latest_versions(fiscal_year: int) -> list[ReportVersion]:
    reports = [report.pk for report, _flagship in _reports(fiscal_year, FLAGSHIPS)]
    versions = ReportVersion.objects.filter(report__in=reports).select_related("report__project")
    return list(versions.order_by("report__project__ref", "-number").distinct("report__project__ref"))


def _keep_document(cycle: Cycle, name: str, content: bytes) -> None:
    path = cycle.out / name
    path.write_bytes(content)
    cycle.documents.append(path)


def _remind(cycle: Cycle) -> int:
    """Every morning's round of the last three weeks, so that each step goes out on its day."""
    before = OutgoingMail.objects.count()
    for back in range(REMINDER_DAYS, -1, -1):
        morning = (cycle.now - timedelta(days=back)).replace(hour=7, minute=0)
        if morning <= cycle.now:
            send_due_reminders(at=morning)
    return OutgoingMail.objects.count() - before


def _send(cycle: Cycle) -> int:
    cycle.mails = send_queued(at=cycle.now, limit=10_000)
    return cycle.mails


# Who and what ---------------------------------------------------------------------------------------------------------


def _reports(fiscal_year: int, flagships: Iterable[str]) -> list[tuple[ProgressReport, str]]:
    wanted = {f"sample-{flagship}": flagship for flagship in flagships}
    found = ProgressReport.objects.filter(fiscal_year=fiscal_year, kind="annual", project__ref__in=wanted)
    rows = found.select_related("project__program", "project__area").order_by("project__ref")
    return [(report, wanted[report.project.ref]) for report in rows]


def _area(flagship: str) -> int:
    return int(flagship[2])


def _number(flagship: str) -> int:
    return FLAGSHIPS.index(flagship) + 1


def _pi(cycle: Cycle, flagship: str) -> User:
    return cycle.users[f"pi{_number(flagship)}"]


def _po(cycle: Cycle, flagship: str) -> User:
    return cycle.users["po1" if _area(flagship) <= 2 else "po2"]


def _writer(cycle: Cycle, flagship: str, section: ReportSection) -> User:
    if section.key == ReportSection.Key.PARTNER:
        return cycle.users[f"coinvestigator{_number(flagship)}"]
    return _pi(cycle, flagship)


@cache
def _texts(season: str, flagship: str) -> dict[str, str]:
    """The sections of one sample report: a line `# <key>` begins each. Empty where nobody has written yet."""
    path = DATA / "sample_reports" / season / f"{flagship}.txt"
    if not path.exists():
        return {}
    parts = re.split(r"^# (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {key: text.strip() for key, text in zip(parts[1::2], parts[2::2], strict=True)}
