"""Declarations before the documents, and the certificate after the meeting. Each case is answered by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.canonical import content_hash
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.states import locked
from common.text import clean, count_characters
from evaluations.actions.conflicts import declare_conflict
from evaluations.models import ConflictCertificate, ConflictOfInterest, Declaration, PanelMember, Round
from evaluations.queries.declarations import CaseAsked, cases_asked, certificate_cases
from evaluations.rules.declarations import READ_WITH_REASON, may_give_reason, membership_of
from evaluations.states import CONFIRMED, DECLARED

NONE, CONFLICT = Declaration.Answer.NONE, Declaration.Answer.CONFLICT
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a member says on one case; `fingerprint` names the facts that were shown."""

    answer: str
    fingerprint: str
    kind: str = ""
    text: str = ""
    starts_on: date | None = None
    ends_on: date | None = None


@transaction.atomic
def declare(one: Round, *, answers: Mapping[str, Answer], by: User, at: datetime) -> list[Declaration]:
    """This function will record a member's answers by case; what is not answered stays owed. All of them or none.

    A conflict is recorded for a person to settle and closes the case's documents at once. Raises `NotAllowed` for
    whoever does not serve on the panel, `Refused` without any answer, `NotReady` with the field of each problem
    ("<case>-kind"), also when a case's facts have changed since they were shown.
    """
    member = membership_of(by, one)
    if member is None:
        raise NotAllowed(_("Only members of the panel who have given the pledge declare conflicts."))
    member = locked(PanelMember, member.pk)
    asked = {each.case.ref: each for each in cases_asked(by, one, member)}
    if not answers:
        raise Refused(_("Answer for at least one case."), "nothing_answered")
    blockers = [found for ref, answer in answers.items() for found in _blockers(asked.get(ref), ref, answer, at)]
    if blockers:
        raise NotReady(_("Nothing was recorded. Correct what is marked."), blockers)
    made = [_declared(asked[ref], member, answer, by, at) for ref, answer in answers.items()]
    return [each for each in made if each is not None]


def _blockers(asked: CaseAsked | None, ref: str, answer: Answer, at: datetime) -> list[Blocker]:
    if asked is None:
        return [Blocker(f"{ref}-answer", "unknown_case", _("This case is not open to your declaration."))]
    found = []
    if answer.answer not in Declaration.Answer.values:
        found.append(Blocker(f"{ref}-answer", "unknown_answer", _("Choose one of the answers.")))
    if answer.fingerprint != asked.fingerprint:
        message = _("The project's facts have changed since the page was opened. Look at them and answer again.")
        found.append(Blocker(f"{ref}-answer", "facts_changed", message))
    if answer.answer == CONFLICT:
        if answer.kind not in ConflictOfInterest.Kind.values:
            found.append(Blocker(f"{ref}-kind", "required", _("Choose the kind of the conflict.")))
        if not clean(answer.text).strip():
            found.append(Blocker(f"{ref}-text", "required", _("Say in a few words what the conflict is.")))
        if count_characters(clean(answer.text).strip()) > LONGEST:
            message = _("Shorten this to %(limit)s characters; it has %(count)s.")
            words = {"limit": LONGEST, "count": count_characters(clean(answer.text).strip())}
            found.append(Blocker(f"{ref}-text", "too_long", message % words))
        if answer.starts_on and answer.ends_on and answer.ends_on < answer.starts_on:
            found.append(Blocker(f"{ref}-ends_on", "dates_out_of_order", _("The last day cannot be before the first.")))
    return found


def _declared(asked: CaseAsked, member: PanelMember, answer: Answer, by: User, at: datetime) -> Declaration | None:
    is_conflict = answer.answer == CONFLICT
    said = {
        "answer": answer.answer, "kind": answer.kind if is_conflict else "",
        "text": clean(answer.text).strip() if is_conflict else "",
        "starts_on": answer.starts_on if is_conflict else None, "ends_on": answer.ends_on if is_conflict else None,
    }  # fmt: skip
    live = asked.live
    if live is not None and asked.is_fresh and all(getattr(live, name) == value for name, value in said.items()):
        return None
    if live is not None:
        live.replaced_at = at
        live.save(update_fields=["replaced_at"])
    made = Declaration.objects.create(
        member=member, case=asked.case, facts=asked.facts, fingerprint=asked.fingerprint, declared_by=by,
        declared_at=at, conflict=_conflict(asked, member, answer, by, at) if is_conflict else None, **said,
    )  # fmt: skip
    record("declare", made, by=by, at=at, after={"answer": made.answer})
    return made


def _conflict(
    asked: CaseAsked, member: PanelMember, answer: Answer, by: User, at: datetime
) -> ConflictOfInterest | None:
    """The conflict as it is settled: the one on record of this kind, else a new one that holds until it is ended."""
    project = asked.case.gate_review.project
    if project is None:
        return None
    known = ConflictOfInterest.objects.filter(
        person=member.person_id, project=project, kind=answer.kind, state__in=(DECLARED, CONFIRMED)
    ).first()
    if known is not None:
        return known
    days = [date_format(day) if day else "" for day in (answer.starts_on, answer.ends_on)]
    text = clean(answer.text).strip() + (f" ({days[0]} – {days[1]})" if any(days) else "")
    return declare_conflict(
        member.person, project, kind=answer.kind, evidence=text, starts_on=localdate(at), by=by, at=at
    )


@transaction.atomic
def give_reason(one: Round, *, reason: str, by: User, at: datetime) -> Round:
    """This function will record why a director, an officer or an auditor reads a round's declarations, once a round."""
    if not may_give_reason(by, one):
        raise NotAllowed(_("You read these declarations without a reason, or they are not open to you."))
    text = clean(reason).strip()
    if not text:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    record(READ_WITH_REASON, one, by=by, at=at, reason=text)
    return one


def certificate_blocker(one: Round, at: datetime) -> Blocker | None:
    """This function will tell what keeps the round's certificates from being signed: the hearing is still to come."""
    if one.hearing_on is not None and localdate(at) >= one.hearing_on:
        return None
    return Blocker("", "too_early", _("The certificate is signed from the day of the hearing on."))


@transaction.atomic
def sign_certificate(one: Round, *, statement: str, by: User, at: datetime) -> ConflictCertificate:
    """This function will sign a member's certificate on conflicts after the meeting, once.

    Raises `NotAllowed` for whoever does not serve on the panel, `Refused` before the hearing, twice, or while a
    declaration is still owed.
    """
    member = membership_of(by, one)
    if member is None:
        raise NotAllowed(_("Only members of the panel who have given the pledge sign the certificate."))
    member = locked(PanelMember, member.pk)
    if blocker := certificate_blocker(one, at):
        raise Refused(str(blocker.message), blocker.code)
    if ConflictCertificate.objects.filter(member=member).exists():
        raise Refused(_("You have signed the certificate already."), "twice")
    if any(not each.is_fresh for each in cases_asked(by, one, member)):
        raise Refused(_("Declare on every case first."), "declaration_owed")
    cases = certificate_cases(member)
    content = {"round": one.ref, "member": member.ref, "statement": statement, "cases": cases}
    made = ConflictCertificate.objects.create(
        member=member, statement=statement, cases=cases, content_hash=content_hash(content), signed_by=by, signed_at=at
    )
    record("sign_certificate", made, by=by, at=at, after={"hash": made.content_hash})
    return made
