"""The sample cast: who they are, where they work, which roles they hold. The only definition, for play and for tests.

Every person bears the name of a role and is marked as sample. Roles are proposed by one of the two sample officers
and approved by the other, through the same actions a person uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction

from accounts.actions.people import affiliate, create_person, create_user
from accounts.actions.roles import approve_tenure, create_first_staff, grant_role, propose_tenure
from accounts.models import Organization, RoleGrant, Tenure, User
from common.actors import SYSTEM
from common.audit import record_many
from common.loading import Ledger
from evaluations.actions.conflicts import confirm_conflict, declare_conflict
from evaluations.models import ConflictOfInterest
from programs.actions.directors import appoint_director
from programs.models import (
    AreaDirector,
    AreaOfficer,
    Deputy,
    HQMember,
    Program,
    ProgramStaff,
    Project,
    ProjectMember,
    ResearchArea,
)
from reporting.sample_records import refuse_in_production
from reporting.sample_twin import FOUNDED_ON, PROGRAM_REF, build_organizations, build_twin, institution_of

DOMAIN = "sample.example"
FOUNDED_AT = datetime(2018, 4, 1, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
DEPUTY_UNTIL = date(2028, 3, 31)


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the cast: name of the sign-in, label, workplace (a reference), global or institution roles."""

    name: str
    label_ja: str
    label_en: str
    works_at: str
    roles: tuple[str, ...] = ()
    language: str = "ja"

    @property
    def email(self) -> str:
        return f"{self.name}@{DOMAIN}"


def _row(stem: str, count: int, ja: str, en: str, places: str | list[str], *roles: str) -> list[Member]:
    each = [places] * count if isinstance(places, str) else places
    return [Member(f"{stem}{i + 1}", f"見本 {ja}{i + 1}", f"{en} {i + 1}", each[i], roles) for i in range(count)]


def _lead(project: str) -> str:
    return institution_of(project, "lead")


def _partner(project: str) -> str:
    return institution_of(project, "partner")


FLAGSHIPS = ("ql1-f1", "ql1-f2", "ql2-f1", "ql2-f2", "ql3-f1")
#: Basic projects that stand before a panel beside the Flagships, each led by an investigator of its own.
BASICS = ("ql1-b1", "ql1-b3", "ql2-b1", "ql2-b3", "ql3-b2")

#: Where the evaluators work: two at each, so that the rule on readers from one institution has something to keep apart.
COLLEGES = [f"sample-college-{letter}" for letter in "abcdef"]

#: Who is there. The order is the order in which they are entered.
CAST: tuple[Member, ...] = (
    *_row("staff", 2, "担当官", "Sample ministry officer", "sample-mext"),
    *_row("secretariat", 1, "評価事務局", "Sample secretariat", "sample-mext", "secretariat"),
    *_row("pd", 4, "プログラムディレクター", "Sample program director", "sample-college"),
    *_row("deputy", 1, "サブPD", "Sample deputy director", "sample-college"),
    *_row("po", 2, "プログラムオフィサー", "Sample program officer", "sample-jst"),
    *_row("hq", 1, "HQ担当", "Sample headquarters member", _lead("ql1-f1")),
    *_row("pi", 5, "研究代表者", "Sample principal investigator", [_lead(f) for f in FLAGSHIPS]),
    *_row("investigator", 5, "基礎課題代表者", "Sample leader of a basic project", [_lead(b) for b in BASICS]),
    *_row("coinvestigator", 5, "研究分担者", "Sample co-investigator", [_partner(f) for f in FLAGSHIPS]),
    *_row("office", 2, "事務代表者", "Sample institution office", [_lead("ql1-f1"), _partner("ql1-f1")],
          "institution_office"),
    *_row("accountant", 1, "経理担当", "Sample accountant", _lead("ql1-f1"), "institution_accountant"),
    *_row("evaluator", 12, "評価委員", "Sample evaluator", COLLEGES * 2, "evaluator"),
    *_row("chair", 1, "主査", "Sample panel chair", "sample-college", "panel_chair"),
    *_row("jst", 2, "JST担当", "Sample JST officer", "sample-jst", "agency_staff"),
    *_row("nedo", 1, "NEDO担当", "Sample NEDO officer", "sample-nedo", "agency_staff"),
    *_row("security", 1, "安全管理担当", "Sample security officer", "sample-mext", "security_officer"),
    *_row("cabinet", 1, "内閣府担当", "Sample Cabinet Office officer", "sample-cao", "cabinet_office"),
    *_row("user_ministry", 1, "関係府省担当", "Sample user ministry officer", "sample-ministry", "user_ministry"),
    *_row("auditor", 1, "監査担当", "Sample auditor", "sample-audit", "auditor"),
    *_row("applicant", 1, "応募者", "Sample applicant", "sample-college"),
)  # fmt: skip

#: Who reads English.
READS_ENGLISH = frozenset({"coinvestigator3"})

Users = dict[str, User]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a run found or made: the users by name, how many records are new or changed, and how many people."""

    users: Users
    people_made: int
    roles_made: int
    records_made: int


@transaction.atomic
def build_sample(*, on: date, reports_from: int | None = None) -> Sample:
    """This function will bring the sample cast and the sample twin to their full state as of this day.

    A second run changes nothing; a later day adds what has happened since. `reports_from` as in `build_twin`. Raises
    `SampleRefused` in production and before the portfolio has been loaded.
    """
    refuse_in_production()
    ledger = Ledger()
    organizations = build_organizations(ledger)
    users, people_made = _enter_cast(organizations)
    build_twin(ledger, organizations, on=on, reports_from=reports_from)
    record_many("build_sample", ledger.changes(), by=SYSTEM, at=FOUNDED_AT)
    roles_made = sum(_hold(tenure, users, turn) for turn, tenure in enumerate(_tenures(users, organizations)))
    _conflict_of_evaluator1(users)
    return Sample(users, people_made, roles_made, len(ledger.lines))


def cast_users() -> Users:
    """This function will return the users of the cast by name; empty before the cast is there."""
    return {
        user.email.partition("@")[0]: user
        for user in User.objects.filter(email__endswith=f"@{DOMAIN}").select_related("person")
    }


def _enter_cast(organizations: dict[str, Organization]) -> tuple[Users, int]:
    known = cast_users()
    missing = [member for member in CAST if member.name not in known]
    for member in missing:
        known[member.name] = _enter(member, organizations[member.works_at])
    founders = known["staff1"], known["staff2"]
    if not RoleGrant.objects.filter(person=founders[0].person, role="ministry_staff").exists():
        create_first_staff(*founders, at=FOUNDED_AT)
    # Read again: what a user may do is kept on the object, and the founders have just become staff.
    return cast_users(), len(missing)


def _enter(member: Member, workplace: Organization) -> User:
    how: dict[str, Any] = {"by": SYSTEM, "at": FOUNDED_AT}
    person = create_person(name_ja=member.label_ja, name_en=member.label_en, is_sample=True, **how)
    affiliate(person, workplace, starts_on=FOUNDED_ON, **how)
    language = "en" if member.name in READS_ENGLISH else "ja"
    return create_user(person, email=member.email, language=language, **how)


# Roles ----------------------------------------------------------------------------------------------------------------


def _tenures(users: Users, organizations: dict[str, Organization]) -> Iterator[Tenure]:
    for member in CAST:
        for role in member.roles:
            scope = organizations[member.works_at] if role in RoleGrant.SCOPED else None
            yield RoleGrant(person=users[member.name].person, role=role, organization=scope, starts_on=FOUNDED_ON)
    yield from _program_roles(users)
    yield from _area_roles(users)
    yield from _project_roles(users, organizations)


def _program_roles(users: Users) -> Iterator[Tenure]:
    roots = Program.objects.filter(parent=None).filter(models.Q(ref=PROGRAM_REF) | models.Q(is_sample=False))
    for program in roots.order_by("ref"):
        for name in ("staff1", "staff2"):
            yield ProgramStaff(person=users[name].person, role="ministry_staff", program=program, starts_on=FOUNDED_ON)


def _area_roles(users: Users) -> Iterator[Tenure]:
    areas = ResearchArea.objects.filter(program__ref=PROGRAM_REF).order_by("number")
    for area in areas:
        yield AreaDirector(person=users[f"pd{area.number}"].person, area=area, starts_on=FOUNDED_ON)
        officer = users["po1" if area.number <= 2 else "po2"]
        yield AreaOfficer(person=officer.person, area=area, starts_on=FOUNDED_ON)
    # The term it stands in for has been granted above, since this is a generator.
    term = AreaDirector.objects.get(area__ref="sample-ql1", person=users["pd1"].person)
    yield Deputy(person=users["deputy1"].person, director=term, starts_on=FOUNDED_ON, ends_on=DEPUTY_UNTIL)


def _project_roles(users: Users, organizations: dict[str, Organization]) -> Iterator[Tenure]:
    for number, flagship in enumerate(FLAGSHIPS, start=1):
        project = Project.objects.select_related("headquarters").get(ref=f"sample-{flagship}")
        starts_on = date(project.start_fiscal_year or FOUNDED_ON.year, 4, 1)
        if number == 1:
            yield HQMember(person=users["hq1"].person, headquarters=project.headquarters, starts_on=starts_on)
        for name, role, place in (
            (f"pi{number}", "principal_investigator", _lead(flagship)),
            (f"coinvestigator{number}", "co_investigator", _partner(flagship)),
        ):
            yield ProjectMember(
                person=users[name].person, project=project, role=role, organization=organizations[place],
                effort_percent=30, starts_on=starts_on,
            )  # fmt: skip

    # Projects of other kinds need somebody who writes there; one person may lead several.
    leaders = {"ql3-b1": "pi5", "ql4-h1": "pi5"} | {basic: f"investigator{n}" for n, basic in enumerate(BASICS, 1)}
    for other, name in leaders.items():
        project = Project.objects.get(ref=f"sample-{other}")
        yield ProjectMember(
            person=users[name].person, project=project, role="principal_investigator",
            organization=organizations[_lead(other)], effort_percent=10,
            starts_on=date(project.start_fiscal_year or FOUNDED_ON.year, 4, 1),
        )  # fmt: skip


def _hold(tenure: Tenure, users: Users, turn: int) -> bool:
    """Propose and approve a role unless it was given before; the two officers take turns."""
    if type(tenure)._default_manager.filter(**_scope(tenure)).exists():
        return False
    first, second = users["staff1"], users["staff2"]
    # Nobody approves a role of their own, so an officer's own role is approved by the other.
    if tenure.person_id == second.person_id or (turn % 2 and tenure.person_id != first.person_id):
        first, second = second, first
    if isinstance(tenure, AreaDirector):
        appoint_director(
            tenure.area, tenure.person, starts_on=tenure.starts_on, by=first, approved_by=second, at=FOUNDED_AT
        )
        return True
    if isinstance(tenure, RoleGrant):
        held: Tenure = grant_role(
            tenure.person, role=tenure.role, organization=tenure.organization, starts_on=tenure.starts_on,
            by=first, at=FOUNDED_AT,
        )  # fmt: skip
    else:
        held = propose_tenure(tenure, by=first, at=FOUNDED_AT)
    approve_tenure(held, by=second, at=FOUNDED_AT)
    return True


def _scope(tenure: Tenure) -> dict[str, Any]:
    # Roles that people have ended since are not given again.
    ignored = {"id", "granted_by", "approved_by", "effort_percent", "ends_on"}
    return {f.name: getattr(tenure, f.name) for f in tenure._meta.concrete_fields if f.name not in ignored}


def _conflict_of_evaluator1(users: Users) -> None:
    person = users["evaluator1"].person
    project = Project.objects.get(ref="sample-ql1-f1")
    if person is None or ConflictOfInterest.objects.filter(person=person, project=project).exists():
        return
    conflict = declare_conflict(
        person, project, kind=ConflictOfInterest.Kind.JOINT_RESEARCH,
        evidence="研究代表者との共著論文(見本)", starts_on=FOUNDED_ON, by=users["evaluator1"], at=FOUNDED_AT,
    )  # fmt: skip
    confirm_conflict(conflict, reason="共著論文を確認した(見本)", by=users["staff1"], at=FOUNDED_AT)
