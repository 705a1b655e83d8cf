"""Panels: members proposed by one officer, approved by another, invited; fields of expertise; release of the roster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import Organization, Person, User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.states import locked, move
from common.text import clean, clean_line
from evaluations import notices
from evaluations.models import Case, Expertise, Panel, PanelMember, RosterRelease
from evaluations.queries.panels import affiliations_of
from evaluations.rules.members import person_blockers, place_blockers, term_blockers
from evaluations.rules.panels import is_released, may_ask_expertise, member_actions, panel_actions, roster_actions
from evaluations.states import CASE_LIVE, MEMBER_MOVES

NOT_NOW = "This step is not open to you in the present state of the panel."
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Seat:
    """What a member is proposed for. No institution: where the person works on the day, with the position there."""

    role: str
    sector: str
    starts_on: date
    ends_on: date | None
    is_scoring: bool = True
    organization: Organization | None = None
    position: str = ""
    cases_max: int | None = None
    expertises: Sequence[Expertise] = ()


@transaction.atomic
def propose_member(panel: Panel, person: Person, seat: Seat, *, by: User, at: datetime) -> PanelMember:
    """This function will propose a member; another officer approves before anybody is invited.

    Raises `NotAllowed`, or `NotReady` with everything that is wrong, each at its field.
    """
    row = _locked_for(panel, "panel.propose", by)
    one, today = row.round, localdate(at)
    members = PanelMember.objects.filter(panel=row)
    blockers = place_blockers(members, person, seat.role) + _seat_blockers(row, person, seat, today)
    if blockers:
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    place = affiliations_of([person], today).get(person.pk)
    organization = seat.organization or (place.organization if place else None)
    if organization is not None and organization.is_sample and not one.is_sample:
        raise Refused(_("A sample institution cannot stand in a real round."), "sample_record", "organization")
    at_home = place is not None and place.organization_id == (organization.pk if organization else None)
    made = PanelMember.objects.create(
        panel=row, person=person, role=seat.role, sector=seat.sector, is_scoring=seat.is_scoring,
        cases_max=seat.cases_max, starts_on=seat.starts_on, ends_on=seat.ends_on, granted_by=by,
        organization=organization,
        position=clean_line(seat.position).strip() or (place.position if place and at_home else ""),
    )  # fmt: skip
    made.expertises.set(seat.expertises)
    record("propose_member", made, by=by, at=at, after=_told(made))
    return made


def _seat_blockers(panel: Panel, person: Person, seat: Seat, on: date) -> list[Blocker]:
    values = {"starts_on": seat.starts_on, "ends_on": seat.ends_on, "cases_max": seat.cases_max}
    return person_blockers(panel.round, person, seat.role, seat.is_scoring, on) + term_blockers(
        panel.round, values, seat.expertises, on
    )


def _told(member: PanelMember) -> dict[str, Any]:
    # By reference: who evaluates stands on the panel's page, for whom it is open, and nowhere else.
    return {
        "person": member.person.ref, "role": member.role, "is_scoring": member.is_scoring,
        "starts_on": member.starts_on.isoformat(), "ends_on": member.ends_on.isoformat() if member.ends_on else None,
    }  # fmt: skip


@transaction.atomic
def approve_member(member: PanelMember, *, by: User, at: datetime) -> PanelMember:
    """This function will approve a proposed member as the second person and send the invitation.

    Raises `NotAllowed` for whoever proposed it and for the person, `NotReady` when the person no longer qualifies.
    """
    row = _locked_member(member, "approve", by)
    seat = Seat(
        row.role, row.sector, row.starts_on, row.ends_on, row.is_scoring, cases_max=row.cases_max,
        expertises=list(row.expertises.select_related("panel")),
    )  # fmt: skip
    if blockers := _seat_blockers(row.panel, row.person, seat, localdate(at)):
        raise NotReady(_("This member cannot be approved. End the proposal and propose anew."), blockers)
    row.approved_by, row.invited_at = by, at
    row.save(update_fields=["approved_by", "invited_at"])
    record("approve_member", row, by=by, at=at, after={"person": row.person.ref})
    notices.panel_invited(row, at=at)
    return row


@transaction.atomic
def end_membership(member: PanelMember, *, reason: str, by: User, at: datetime) -> PanelMember:
    """This function will end a proposal, an invitation or an appointment today. Raises `Refused` without a reason."""
    row = _locked_member(member, "end", by)
    row.end_reason = _written(reason)
    today = localdate(at)
    before = {"ends_on": row.ends_on.isoformat() if row.ends_on else None}
    # A term that has not begun keeps its days: it never counted.
    if row.starts_on <= today and (row.ends_on is None or row.ends_on > today):
        row.ends_on = today
    state = move(row, "end", MEMBER_MOVES, also=("end_reason", "ends_on"))
    record(
        "end_membership", row, by=by, at=at, before={"state": state, **before},
        after={"state": row.state, "ends_on": row.ends_on.isoformat() if row.ends_on else None}, reason=row.end_reason,
    )  # fmt: skip
    return row


# Fields of expertise --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One field of expertise as typed; `pk` of the one it was, None for a new one."""

    pk: int | None
    name_ja: str
    name_en: str = ""


@transaction.atomic
def save_panel(panel: Panel, *, fields: Iterable[Field], pledge: str, by: User, at: datetime) -> Panel:
    """This function will save a panel's fields of expertise, in this order, and its pledge (blank: the common text).

    Fields without a name are taken out. Raises `NotReady` for one still in use or named twice, `NotAllowed`.
    """
    row = _locked_for(panel, "panel.edit", by)
    saved = {one.pk: one for one in row.expertises.all()}
    typed = [Field(one.pk, clean_line(one.name_ja).strip(), clean_line(one.name_en).strip()) for one in fields]
    kept = [one for one in typed if one.name_ja]
    gone = [one for pk, one in saved.items() if pk not in {field.pk for field in kept}]
    if blockers := _field_blockers(saved, kept, gone):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    before = {"expertises": [one.name_ja for one in saved.values()], "pledge_text": row.pledge_text}
    Expertise.objects.filter(pk__in=[one.pk for one in gone]).delete()
    for place, one in enumerate(kept, 1):
        names = {"name_ja": one.name_ja, "name_en": one.name_en, "position": place}
        if one.pk is None:
            Expertise.objects.create(panel=row, **names)
        else:
            Expertise.objects.filter(pk=one.pk, panel=row).update(**names)
    row.pledge_text = clean(pledge).strip()
    row.save(update_fields=["pledge_text"])
    after = {"expertises": [one.name_ja for one in kept], "pledge_text": row.pledge_text}
    record("save_panel", row, by=by, at=at, before=before, after=after)
    return row


def _field_blockers(saved: dict[int, Expertise], kept: list[Field], gone: list[Expertise]) -> list[Blocker]:
    found = []
    if any(one.pk is not None and one.pk not in saved for one in kept):
        message = _("Somebody else changed the fields in the meantime. Open the page again.")
        found.append(Blocker("fields", "stale", message))
    names = [one.name_ja for one in kept]
    for name in sorted({name for name in names if names.count(name) > 1}):
        message = _("“%(name)s” is there twice. Keep one of them.") % {"name": name}
        found.append(Blocker("fields", "twice", message))
    for one in gone:
        asked = Case.objects.filter(expertises=one, state__in=CASE_LIVE).exists()
        if asked or PanelMember.objects.filter(expertises=one).exists():
            message = _("Keep “%(name)s”: a case asks for it or a member has it.") % {"name": one.name_ja}
            found.append(Blocker("fields", "in_use", message))
    if any(len(one.name_ja) > LONGEST_NAME or len(one.name_en) > LONGEST_NAME for one in kept):
        found.append(Blocker("fields", "too_long", _("Shorten the names to 200 characters.")))
    return found


@transaction.atomic
def ask_expertise(case: Case, *, expertises: Sequence[Expertise], by: User, at: datetime) -> Case:
    """This function will say which of the panel's fields a case asks for. Raises `NotAllowed`, `Refused`."""
    panel = locked(Panel, case.panel_id)
    row = locked(Case, case.pk)
    if not may_ask_expertise(by, row):
        raise NotAllowed(_("This step is not open to you in the present state of the case."))
    if any(one.panel_id != panel.pk for one in expertises):
        raise Refused(_("Choose fields of expertise of this panel."), "foreign", "expertises")
    before = list(row.expertises.values_list("name_ja", flat=True))
    row.expertises.set(expertises)
    after = [one.name_ja for one in expertises]
    record("ask_expertise", row, by=by, at=at, before={"expertises": before}, after={"expertises": after})
    return row


# The roster -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def propose_roster_release(panel: Panel, *, release_on: date, by: User, at: datetime) -> RosterRelease:
    """This function will propose the day from which the panel's names are public; it counts once approved.

    A new day replaces the former proposal and its approval, as long as the names are not public. Raises `NotAllowed`,
    `Refused` for a day before the round's own or in the past.
    """
    row = _locked_for(panel, "panel.release_roster", by)
    release = RosterRelease.objects.select_for_update().filter(panel=row).first()
    if release is not None and is_released(release, localdate(at)):
        raise Refused(_("The roster is public already."), "released", "release_on")
    _refuse_day(row, release_on, localdate(at))
    before = release.release_on.isoformat() if release else None
    made, _made = RosterRelease.objects.update_or_create(
        panel=row,
        defaults={
            "release_on": release_on, "proposed_by": by, "proposed_at": at, "approved_by": None, "approved_at": None
        },
    )  # fmt: skip
    after = {"release_on": release_on.isoformat()}
    record("propose_roster_release", row, by=by, at=at, before={"release_on": before}, after=after)
    return made


@transaction.atomic
def approve_roster_release(panel: Panel, *, by: User, at: datetime) -> RosterRelease:
    """This function will approve the day as the second person; the names are public from then on or from now.

    Raises `NotAllowed` for whoever proposed it, `Refused` when the round's own day was moved behind it.
    """
    row = _locked_for(panel, "panel.release_roster", by)
    release = RosterRelease.objects.select_for_update().filter(panel=row).first()
    if release is None:
        raise Refused(_("Nobody has proposed a day yet."), "not_proposed")
    if release.proposed_by_id == by.pk:
        raise NotAllowed(_("Whoever proposed this does not approve it. Ask a colleague."), "second_person")
    if "roster.approve" not in roster_actions(by, release, panel_actions(by, row), is_released(release, localdate(at))):
        raise Refused(_("This is approved already."), "twice")
    _refuse_day(row, release.release_on, None)
    release.approved_by, release.approved_at = by, at
    release.save(update_fields=["approved_by", "approved_at"])
    record("approve_roster_release", row, by=by, at=at, after={"release_on": release.release_on.isoformat()})
    return release


def _refuse_day(panel: Panel, release_on: date, today: date | None) -> None:
    earliest = panel.round.roster_release_on
    if earliest is None:
        message = _("Enter the day of the roster in the calendar of the round first.")
        raise Refused(message, "no_day", "release_on")
    if release_on < earliest:
        message = _("Choose %(day)s or a later day: the calendar of the round says so.")
        raise Refused(message % {"day": earliest.isoformat()}, "too_early", "release_on")
    if today is not None and release_on < today:
        raise Refused(_("Choose today or a later day."), "past", "release_on")


def _written(text: str) -> str:
    written = clean(text).strip()
    if not written:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    return written


def _locked_for(panel: Panel, permission: str, by: User) -> Panel:
    row = locked(Panel, panel.pk)
    if permission not in panel_actions(by, row):
        raise NotAllowed(_(NOT_NOW))
    return row


def _locked_member(member: PanelMember, act: str, by: User) -> PanelMember:
    panel = locked(Panel, member.panel_id)
    row = locked(PanelMember, member.pk)
    acts = panel_actions(by, panel)
    if act == "approve" and "panel.approve" in acts and by.pk == row.granted_by_id:
        raise NotAllowed(_("Whoever proposed this does not approve it. Ask a colleague."), "second_person")
    if f"member.{act}" not in member_actions(by, row, acts):
        raise NotAllowed(_(NOT_NOW))
    return row
