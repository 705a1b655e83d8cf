"""A case's dossier as its readers open it: what changed since the last gate, old remarks against answers, the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from common.fiscal_year import date_text
from common.fiscal_year import label as year_label
from common.money import million
from common.text import count_characters
from evaluations.models import Addendum, Case, Condition, Dossier, DossierDocument, GateDecision
from evaluations.queries.dossiers import addenda_of, documents_of
from programs.drawings import language
from programs.models import TrlAssessment

Content = dict[str, Any]
#: The section of the self-assessment in which the team answers the remarks of the last gate.
ANSWERS = "answers"
#: Characters of Japanese that a careful reader takes in a minute; the time that is shown is a guide, nothing more.
READ_IN_A_MINUTE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that is not as it was in the dossier of the last gate; "-" where there was or is nothing."""

    about: str
    before: str
    after: str


@dataclass(slots=True)
class CaseDossier:
    """What a reader has before the eyes beside the sheet; without a dossier (an area, a program) all of it is empty."""

    dossier: Dossier | None
    content: Content = field(default_factory=dict)
    last_gate: Content | None = None
    #: None where no dossier of an earlier gate is kept here to compare with.
    changes: list[Change] | None = None
    documents: list[DossierDocument] = field(default_factory=list)
    addenda: list[Addendum] = field(default_factory=list)

    @property
    def sections(self) -> list[Content]:
        """The self-assessment, without what stands against the remarks of the last gate already."""
        return [one for one in self.content.get("sections", []) if not (self.last_gate and one["code"] == ANSWERS)]

    @property
    def answers(self) -> str:
        """What the team answers to the last gate."""
        return next((one["text"] for one in self.content.get("sections", []) if one["code"] == ANSWERS), "")

    @property
    def characters(self) -> int:
        """How many characters there are to read, files not counted."""
        return sum(count_characters(text) for text in _texts(self.content, self.addenda))

    @property
    def minutes(self) -> int:
        """How long that takes a careful reader, rounded up."""
        return -(-self.characters // READ_IN_A_MINUTE)


def case_dossier(case: Case) -> CaseDossier:
    """This function will return the sealed dossier of a case; whoever reads the case may read it."""
    dossier = Dossier.objects.filter(gate_review=case.gate_review_id).first()
    if dossier is None or dossier.content is None:
        return CaseDossier(dossier)
    content: Content = dossier.content
    last = last_gate_read(content.get("last_gate"))
    earlier = (
        Dossier.objects.filter(gate_review__ref=last["ref"]).values_list("content", flat=True).first() if last else None
    )
    changes = list(changes_between(earlier, content)) if earlier else None
    return CaseDossier(dossier, content, last, changes, documents_of(dossier), addenda_of(dossier))


def last_gate_read(row: Content | None) -> Content | None:
    """This function will put what the last gate left into words; a dossier sealed before there were decisions has none."""
    if row is None:
        return None
    asked = [
        {
            **one, "due_on": parse_date(one["due_on"] or ""), "owner": str(Condition.Owner(one["owner"]).label),
            "state": str(Condition.State(one["state"]).label),
        }
        for one in row["conditions"]
    ]  # fmt: skip
    return {
        **row, "decided_on": parse_date(row["decided_on"] or ""), "conditions": asked,
        "outcome": str(GateDecision.Outcome(row["outcome"]).label),
        "remarks": [part for part in row["remarks"].split("\n") if part.strip()],
    }  # fmt: skip


def _texts(content: Content, addenda: list[Addendum]) -> Iterator[str]:
    yield from (one["text"] for one in content.get("sections", []))
    if last := content.get("last_gate"):
        yield last["remarks"]
        yield from (f"{one['text']}{one['report']}" for one in last["conditions"])
    if plan := content.get("plan"):
        yield plan["summary"]
        yield from (one["criteria"] for one in plan["gates"])
    yield from (f"{one['title']}{one['criterion']}" for one in content.get("milestones", []))
    yield from (one["evidence"] for one in content.get("trl", []))
    yield from (f"{one['title']}{one['measure']}" for one in content.get("risks", []))
    yield from (one.text for one in addenda)


# What changed ---------------------------------------------------------------------------------------------------------


def changes_between(before: Content, after: Content) -> Iterator[Change]:
    """This function will yield the facts in which two dossiers of one project differ, the heavier ones first."""
    yield from _levels(before, after)
    yield from _milestones(before, after)
    yield from _plan(before, after)
    yield from _money(before, after)
    yield from _people(before, after)
    yield from _risks(before, after)
    yield from _reports(before, after)


def _levels(before: Content, after: Content) -> Iterator[Change]:
    for kind in (TrlAssessment.Kind.CLAIMED, TrlAssessment.Kind.ASSESSED):
        then, now = (_latest(content, kind) for content in (before, after))
        if then != now:
            yield Change(_("TRL, %(kind)s") % {"kind": kind.label}, then, now)


def _latest(content: Content, kind: str) -> str:
    rows = [one for one in content.get("trl", []) if one["kind"] == kind]
    # The last one, not the highest: a level can be taken back.
    return f"TRL{max(rows, key=lambda one: one['on'])['level']}" if rows else "-"


def _milestones(before: Content, after: Content) -> Iterator[Change]:
    then, now = (_by(content.get("milestones", []), "number") for content in (before, after))
    for number in sorted(then.keys() | now.keys()):
        old, new = then.get(number), now.get(number)
        about = _("Milestone %(number)s “%(title)s”") % {"number": number, "title": (new or old)["title"]}  # type: ignore[index]
        if _milestone(old) != _milestone(new):
            yield Change(about, _milestone(old), _milestone(new))


def _milestone(row: Content | None) -> str:
    if row is None:
        return "-"
    if row["reached_on"]:
        return _("reached %(day)s") % {"day": _day(row["reached_on"])}
    return _("planned for %(day)s") % {"day": _day(row["planned_on"])}


def _plan(before: Content, after: Content) -> Iterator[Change]:
    then, now = ((content.get("plan") or {}).get("versions") or [{}] for content in (before, after))
    old, new = then[-1], now[-1]
    if old.get("number") != new.get("number"):
        yield Change(_("Version of the plan"), str(old.get("number", "-")), str(new.get("number", "-")))
    if old.get("ends_on") != new.get("ends_on"):
        yield Change(_("End of the project"), _day(old.get("ends_on")), _day(new.get("ends_on")))


def _money(before: Content, after: Content) -> Iterator[Change]:
    then, now = (_by(content.get("money", []), "fiscal_year") for content in (before, after))
    for year in sorted(then.keys() | now.keys()):
        for name, word in (("allocated_yen", _("allocated")), ("spent_yen", _("spent"))):
            old, new = (rows.get(year, {}).get(name) for rows in (then, now))
            if old != new:
                about = _("%(year)s, %(what)s (million yen)") % {"year": year_label(year, language()), "what": word}
                yield Change(about, million(old), million(new))


def _people(before: Content, after: Content) -> Iterator[Change]:
    yield from _joined_and_left(_("Institution"), before, after, "institutions", lambda one: one["name_ja"])
    yield from _joined_and_left(
        _("Investigator"), before, after, "members", lambda one: f"{one['name_ja']} ({one['organization_ja']})"
    )


def _risks(before: Content, after: Content) -> Iterator[Change]:
    yield from _joined_and_left(_("Risk being dealt with"), before, after, "risks", lambda one: one["title"])


def _joined_and_left(
    about: str, before: Content, after: Content, part: str, name: Callable[[Content], str]
) -> Iterator[Change]:
    then, now = ({name(one) for one in content.get(part, [])} for content in (before, after))
    yield from (Change(about, one, "-") for one in sorted(then - now))
    yield from (Change(about, "-", one) for one in sorted(now - then))


def _reports(before: Content, after: Content) -> Iterator[Change]:
    then, now = (len(content.get("reports", [])) for content in (before, after))
    if then != now:
        yield Change(_("Reports accepted"), str(then), str(now))


def _by(rows: list[Content], key: str) -> dict[Any, Content]:
    return {one[key]: one for one in rows}


def _day(text: str | None) -> str:
    day = parse_date(text or "")
    return date_text(day, language()) if day else "-"
