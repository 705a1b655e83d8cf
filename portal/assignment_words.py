"""An assignment in words: what a run found and how sure that is, what cannot be met and by how much, what a change does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from evaluations.assignment_bound import Shortfall
from evaluations.models import AssignmentRun
from evaluations.queries.assignment_checks import Thin
from evaluations.queries.assignments import Effect, Seating, case_name

SHOWN = 100


@dataclass(slots=True)
class RunTold:
    """A run in words: the certificate line by line, what stands beside it, what was missing when it was computed."""

    lines: list[str] = field(default_factory=list)
    note: str = ""
    problem: str = ""


def run_told(run: AssignmentRun, seating: Seating, now: float | None, bound: float | None) -> RunTold:
    """This function will put a run into words.

    `now`: what the assignment is worth as it stands, `bound`: what no choice can exceed as things stand; None where they
    cannot be compared with the run.
    """
    told = RunTold(problem=_problem(run.problem))
    result = run.result or {}
    if "certificate" in result:
        told.lines = _certificate(result["certificate"], seating, cut=result.get("is_cut", False))
        told.note = _note(now - result["certificate"]["worth"], now, bound) if now is not None else ""
    elif run.result is not None:
        come, gone = len(result["come"]), len(result["gone"])
        told.lines = [
            _("%(come)s readers were proposed in the place of others.") % {"come": come},
            _("Nobody else moves.")
            if not gone
            else _("%(gone)s confirmed readers move to another case.") % {"gone": gone},
        ]
    return told


def _problem(code: str) -> str:
    words = {
        "changed": _("Readers or conflicts were changed while it was computed. Have it computed again."),
        "lost": _("The computation did not end. Have it computed again."),
        "error": _("The computation failed. Have it computed again; if it fails again, tell the operator."),
    }
    return str(words.get(code, code))


def _certificate(kept: dict[str, Any], seating: Seating, *, cut: bool) -> list[str]:
    figures = {name: _figure(kept[name]) for name in ("worth", "bound")}
    lines = [
        _("Worth %(worth)s; no other choice among all pairs without a conflict can exceed %(bound)s.") % figures,
        _("It was proved that no better one exists.")
        if kept["is_proved"]
        else _("At most %(gap)s%% could be gained by any other choice.") % {"gap": number_format(100 * kept["gap"], 4)},
        _("Each member reads %(least)s to %(most)s cases, %(mean)s on average.")
        % {"least": kept["load_least"], "most": kept["load_most"], "mean": _figure(kept["load_mean"])},
    ]
    at = seating.case_at.get(kept["weakest"])
    if at is not None:
        name, mean = case_name(seating.cases[at]), _figure(kept["weakest_mean"])
        lines.append(
            _("The weakest case is “%(name)s”, with a mean affinity of %(mean)s.") % {"name": name, "mean": mean}
        )
    if kept["price"] is not None:
        price = number_format(100 * kept["price"], 1)
        lines.append(_("Fields, institutions and balance cost %(price)s%% of the affinity.") % {"price": price})
    if cut:
        lines.append(_("The time limit came first: a better one may exist. Every conflict is respected all the same."))
    return lines


def _figure(value: float) -> str:
    return ("△" if round(value, 2) < 0 else "") + str(number_format(abs(value), 2))


def _note(by: float, now: float, bound: float | None) -> str:
    """How it stands after changes by hand, and that the bound was computed anew from what is kept with the run."""
    lines = []
    if abs(by) >= 0.005:
        words = (
            _("As it stands now it is worth %(by)s less than was computed.")
            if by < 0
            else _("As it stands now it is worth %(by)s more than was computed.")
        )
        lines.append(words % {"by": _figure(abs(by))})
    if bound is not None:
        gap = number_format(100 * max(0.0, bound - now) / max(1.0, abs(bound)), 2)
        words = _("Checked just now without the solver: worth %(now)s, and nothing can exceed %(bound)s (%(gap)s%%).")
        lines.append(words % {"now": _figure(now), "bound": _figure(bound), "gap": gap})
    return " ".join(lines)


def shortfalls_told(seating: Seating, most: int = SHOWN) -> list[str]:
    """This function will say which rules cannot be met as it stands, by how much, and which constraint is the reason."""
    call = seating.call
    found = [_shortfall(seating, one) for one in seating.short[:most]]
    room, asked, least = int(call.load_max.sum()), int(call.readers.sum()), int(call.load_min.sum())
    if least > asked:
        words = _(
            "All members together have to read %(least)s cases at least, the cases ask for %(asked)s: %(by)s too many."
        )
        found.insert(0, words % {"asked": asked, "least": least, "by": least - asked})
    if room < asked:
        words = _(
            "All cases together ask for %(asked)s readings, all members together may read %(room)s: %(by)s too few."
        )
        found.insert(0, words % {"asked": asked, "room": room, "by": asked - room})
    if len(seating.short) > most:
        found.append(_("%(count)s more are not shown.") % {"count": len(seating.short) - most})
    return found


def _shortfall(seating: Seating, one: Shortfall) -> str:
    call = seating.call
    if one.kind == "load":
        words = _(
            "%(name)s reads %(missing)s cases fewer than the round asks for; %(free)s of %(cases)s cases are open."
        )
        name = seating.members[one.reviewer].person.name
        return str(words % {"name": name, "missing": one.missing, "free": one.free, "cases": len(seating.cases)})
    figures = {
        "case": case_name(seating.cases[one.case]), "missing": one.missing, "wanted": int(call.readers[one.case]),
        "field": seating.fields[one.field].name if one.field >= 0 else "",
    }  # fmt: skip
    if one.kind == "readers":
        lines = [_("“%(case)s” lacks %(missing)s of %(wanted)s readers.") % figures]
    elif one.kind == "field":
        lines = [_("“%(case)s” lacks a reader of the field “%(field)s”.") % figures]
    else:
        lines = [_("“%(case)s” has no reader with one of its fields who could be the primary reader.") % figures]
    return " ".join(str(line) for line in [*lines, *_reasons(seating, one)])


def _reasons(seating: Seating, one: Shortfall) -> list[str]:
    """Why it is missing: who cannot read by which constraint, and which of them is too tight by itself."""
    call, asked = seating.call, list(range(len(seating.members)))
    if one.kind == "field":
        asked = [at for at in asked if call.fields[at, one.field]]
    elif one.kind == "lead":
        asked = [at for at in asked if call.leads[one.case, at]]
    wanted = int(call.readers[one.case]) if one.kind == "readers" else 1
    if not asked:
        return [_("No member of the panel has it.")]
    why = Counter(seating.why[one.case, at] for at in asked if (one.case, at) in seating.why)
    counts = {**why, "institution": one.alike, "mutual": one.mutual, "full": one.full}
    parts = [f"{words} {counts[code]}" for code, words in _bars().items() if counts.get(code)]
    lines = [_("Of %(count)s members: %(parts)s.") % {"count": len(asked), "parts": "、".join(parts)}] if parts else []
    if one.free < wanted:
        words = _("Conflicts and declarations leave %(free)s for %(wanted)s: %(by)s too few.")
        lines.append(words % {"free": one.free, "wanted": wanted, "by": wanted - one.free})
    if one.places < min(wanted, one.free):
        words = _(
            "One institution has one reader of a case at most: the %(free)s are of %(places)s institutions, %(by)s too few."
        )
        lines.append(words % {"free": one.free, "places": one.places, "by": wanted - one.places})
    if one.open > 0:
        lines.append(
            _("%(count)s of them could be added now.") % {"count": one.open}
            if one.kind == "readers" or not _is_whole(seating, one.case)
            else _("%(count)s of them could read it, but its places are taken.") % {"count": one.open}
        )
    return lines


def _is_whole(seating: Seating, case: int) -> bool:
    return not any(other.kind == "readers" and other.case == case for other in seating.short)


def _bars() -> dict[str, str]:
    """What keeps members from reading a case, by the code of `why_not`, in the order in which it is told."""
    return {
        "conflict": _("in conflict"),
        "team": _("people of the project"),
        "undeclared": _("without a declaration"),
        "declined": _("who declined"),
        "institution": _("of an institution that reads it already"),
        "mutual": _("who would be reviewed in turn"),
        "full": _("who read all they may"),
    }


def thin_told(one: Thin) -> str:
    """This function will say of a case that it would have too few readers, and what follows."""
    figures = {"case": case_name(one.case), "there": one.there, "wanted": one.wanted, "quorum": one.quorum}
    line = _("“%(case)s” would have %(there)s of %(wanted)s readers.") % figures
    if one.there < one.quorum:
        line += " " + _("The panel settles no finding on it with fewer than %(quorum)s sheets (quorum).") % figures
    return line


def told_of(effect: Effect) -> list[str]:
    """This function will say what a change by hand does."""
    signed = ("+" if effect.worth >= 0 else "") + _figure(effect.worth)
    lines = [
        _("worth %(by)s") % {"by": signed},
        _("reads %(load)s > %(after)s of %(most)s")
        % {"load": effect.load, "after": effect.load_after, "most": effect.load_most},
    ]
    if effect.gained:
        lines.append(_("covers %(fields)s") % {"fields": "、".join(one.name for one in effect.gained)})
    if effect.lost:
        lines.append(_("leaves %(fields)s uncovered") % {"fields": "、".join(one.name for one in effect.lost)})
    if effect.missing_after:
        lines.append(_("%(missing)s readers missing") % {"missing": effect.missing_after})
    return lines
