"""An assignment in words: what a run found and how sure that is, what cannot be met and by how much, what a change does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from evaluations.assignment_bound import Shortfall
from evaluations.models import AssignmentRun
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
    return str(number_format(value, 2))


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


def shortfalls_told(seating: Seating) -> list[str]:
    """This function will say which rules cannot be met as it stands, by how much, and what the reason is."""
    found = [_shortfall(seating, one) for one in seating.short[:SHOWN]]
    room, asked = int(seating.call.load_max.sum()), int(seating.call.readers.sum())
    if room < asked:
        words = _(
            "All cases together ask for %(asked)s readings, all members together may read %(room)s: %(by)s too few."
        )
        found.insert(0, words % {"asked": asked, "room": room, "by": asked - room})
    return found


def _shortfall(seating: Seating, one: Shortfall) -> str:
    if one.kind == "load":
        words = _("%(name)s reads %(missing)s cases fewer than the round asks for.")
        return str(words % {"name": seating.members[one.reviewer].person.name, "missing": one.missing})
    figures = {
        "case": case_name(seating.cases[one.case]), "missing": one.missing, "free": one.free, "full": one.full,
        "field": seating.fields[one.field].name if one.field >= 0 else "",
    }  # fmt: skip
    if one.kind == "readers":
        words = _(
            "“%(case)s” lacks %(missing)s readers: %(free)s members have no conflict, %(full)s of them read all they may."
        )
    elif one.kind == "field" and not one.free:
        words = _("“%(case)s” lacks a reader of “%(field)s”: no member without a conflict has this field.")
    elif one.kind == "field":
        words = _(
            "“%(case)s” lacks a reader of the field “%(field)s”: %(free)s members have it, %(full)s of them read all they may."
        )
    else:
        words = _("“%(case)s” has no reader with one of its fields who could be the primary reader.")
    return str(words % figures)


def told_of(effect: Effect) -> list[str]:
    """This function will say what a change by hand does."""
    signed = ("+" if effect.worth >= 0 else "△") + _figure(abs(effect.worth))
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
