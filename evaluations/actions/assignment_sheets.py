"""Who reads what from a CSV file: first what it would change, line by line; then all of it or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Refused, StaleEdit
from common.states import move
from common.text import clean_line, half_width, unquoted_cell
from evaluations.actions.assignments import fingerprint_of, locked_seating, reasons, vacancy
from evaluations.assignment_bound import Pair
from evaluations.models import Assignment, Panel
from evaluations.queries.assignments import WHOLE, Seating, case_name, reads_mutually
from evaluations.states import ASSIGNMENT_MOVES, CONFIRMED, PROPOSED

#: The columns by their Japanese heads; names stand beside the references for people and are not read back.
COLUMNS = {"案件": "case", "委員": "member", "役割": "role", "案件名": "case_name", "氏名": "name"}
NEEDED = ("case", "member", "role")
ROLE_WORDS = {
    "主": "primary",
    "主査読者": "primary",
    "副": "secondary",
    "副査読者": "secondary",
    "査読": "reader",
    "査読者": "reader",
}
MOST_BYTES, MOST_LINES = 5_000_000, 50_000


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one line of the file."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class LineChange:
    """One thing that the file would do: `what` is add, remove or role."""

    what: str
    case: str
    member: str
    before: str
    after: str


@dataclass(slots=True)
class SheetRead:
    """What a file would change. `steps` can be kept as text and carried out later."""

    changes: list[LineChange] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)
    steps: dict[str, Any] = field(default_factory=dict)


def sheet_rows(seating: Seating) -> Iterator[list[str]]:
    """This function will yield the lines of the file as it stands: references, names and roles."""
    for one in seating.standing:
        case = seating.cases[seating.case_at[one.case_id]]
        yield [case.ref, one.member.ref, one.role, case_name(case), one.member.person.name]


@transaction.atomic
def preview_sheet(panel: Panel, content: bytes, *, by: User) -> SheetRead:
    """This function will say what a file would change; nothing is written.

    The lines of a case are all of its readers: who is proposed and not in them goes, confirmed readers stay. Cases that
    the file does not name stay as they are. Raises `NotAllowed`, and `Refused` for a file that is no such table.
    """
    seating = locked_seating(panel, by)
    wanted, errors = _understood(seating, _lines(content))
    errors += _broken(seating, wanted)
    if errors:
        return SheetRead(errors=sorted(errors, key=lambda one: one.line))
    steps = {pair: role for pair, (_line, role) in wanted.items()}
    return SheetRead(
        _changes(seating, steps), [],
        {"seen": fingerprint_of(seating), "rows": [[*pair, role] for pair, role in sorted(steps.items())]},
    )  # fmt: skip


@transaction.atomic
def import_sheet(panel: Panel, steps: Mapping[str, Any], *, by: User, at: datetime) -> int:
    """This function will carry out a dry run and return how many readers came, went or changed their role.

    Raises as `preview_sheet`, and `StaleEdit` when the assignment was changed since.
    """
    seating = locked_seating(panel, by)
    if fingerprint_of(seating) != steps["seen"]:
        raise StaleEdit(
            _("The assignment was changed in the meantime. Choose the file again."), current=None, submitted=steps
        )
    wanted = {(case, member): role for case, member, role in steps["rows"]}
    count = len(_changes(seating, wanted))
    for row in seating.standing:
        pair = seating.pair_of(row)
        if pair in wanted:
            role = wanted.pop(pair)
            Assignment.objects.filter(pk=row.pk).update(role=role, is_pinned=True)
        elif row.state == PROPOSED and row.case_id in _named(seating, steps):
            row.ended_at = at
            move(row, "replace", ASSIGNMENT_MOVES, also=("ended_at",))
    for (case, member), role in sorted(wanted.items()):
        Assignment.objects.create(
            case=seating.cases[case], member=seating.members[member], role=role, is_pinned=True, made_by=by, made_at=at,
            affinity=round(float(seating.call.scores[case, member]), 4),
            replaces_id=vacancy(seating, seating.cases[case]),
        )  # fmt: skip
    record("import_assignment", panel, by=by, at=at, after={"readers": len(steps["rows"]), "changes": count})
    return count


def _named(seating: Seating, steps: Mapping[str, Any]) -> set[int]:
    return {seating.cases[case].pk for case, _member, _role in steps["rows"]}


# Reading --------------------------------------------------------------------------------------------------------------


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    if len(content) > MOST_BYTES:
        raise Refused(_("The file is larger than 5 MB. Split it."), "too_large", "file")
    reader = csv.reader(io.StringIO(_decoded(content), newline=""), strict=True)
    try:
        heads = [clean_line(half_width(unquoted_cell(cell))) for cell in next(reader)]
        fields = [COLUMNS.get(head, head) for head in heads]
        if missing := [head for head, name in COLUMNS.items() if name in NEEDED and name not in fields]:
            raise Refused(
                _("The column “%(name)s” is missing. Add it.") % {"name": missing[0]}, "missing_column", "file"
            )
        for number, cells in enumerate(reader, 2):
            if number > MOST_LINES:
                raise Refused(_("The file has too many lines. Split it."), "too_large", "file")
            if any(cell.strip() for cell in cells):
                yield number, {name: clean_line(unquoted_cell(cell)) for name, cell in zip(fields, cells, strict=False)}
    except (StopIteration, csv.Error):
        raise Refused(_("The file is empty or no CSV. Save the sheet as CSV."), "not_csv", "file") from None


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused(_("The letters cannot be read. Save the file as CSV in UTF-8."), "encoding", "file")


def _understood(
    seating: Seating, lines: Iterator[tuple[int, dict[str, str]]]
) -> tuple[dict[Pair, tuple[int, str]], list[LineError]]:
    """Each pair with its line and role, and what could not be understood."""
    cases = {one.ref: at for at, one in enumerate(seating.cases)}
    members = {one.ref: at for at, one in enumerate(seating.members)}
    found: dict[Pair, tuple[int, str]] = {}
    errors = []
    for line, cells in lines:
        case, member = cases.get(cells.get("case", "")), members.get(cells.get("member", ""))
        word = cells.get("role", "")
        role = ROLE_WORDS.get(word, word.casefold())
        if case is None:
            errors.append(
                LineError(
                    line,
                    _("This case is not among those that you assign: “%(ref)s”.") % {"ref": cells.get("case", "")[:40]},
                )
            )
        elif member is None:
            errors.append(
                LineError(
                    line,
                    _("Nobody with this reference serves on the panel: “%(ref)s”.")
                    % {"ref": cells.get("member", "")[:40]},
                )
            )
        elif role not in Assignment.Role.values:
            errors.append(
                LineError(
                    line, _("Write primary, secondary or reader as the role, not “%(role)s”.") % {"role": word[:40]}
                )
            )
        elif (case, member) in found:
            errors.append(
                LineError(
                    line,
                    _("This reader stands on the case twice, first in line %(line)s.")
                    % {"line": found[case, member][0]},
                )
            )
        else:
            found[case, member] = (line, role)
    if not found and not errors:
        raise Refused(_("The file has no rows under its heads."), "empty", "file")
    return found, errors  # fmt: skip


def _broken(seating: Seating, wanted: Mapping[Pair, tuple[int, str]]) -> list[LineError]:
    """The lines that a rule forbids: conflicts, one institution or the primary twice, too many readers or cases."""
    words, call = reasons(), seating.call
    after = _after(seating, {pair: role for pair, (_line, role) in wanted.items()})
    errors = [
        LineError(line, words[seating.why[pair]]) for pair, (line, _role) in wanted.items() if pair in seating.why
    ]
    loads, readers = [0] * len(seating.members), [0] * len(seating.cases)
    seated: dict[tuple[int, int], Pair] = {}
    primary: set[int] = set()
    for pair, role in sorted(after.items(), key=lambda item: wanted.get(item[0], (0, ""))[0]):
        line = wanted.get(pair, (0, ""))[0]
        case, member = pair
        loads[member] += 1
        institution = int(call.institutions[member])
        if line and institution >= 0 and (case, institution) in seated:
            errors.append(LineError(line, words["institution"]))
        seated[case, institution] = pair
        if line and role == Assignment.Role.PRIMARY and case in primary:
            errors.append(LineError(line, _("The case has a primary reader already. Give one of them another role.")))
        primary |= {case} if role == Assignment.Role.PRIMARY else set()
        if line and loads[member] > int(call.load_max[member]):
            errors.append(LineError(line, words["full"]))
        readers[case] += 1
        if line and readers[case] > int(call.readers[case]):
            errors.append(LineError(line, words[WHOLE]))
        if line and reads_mutually(call, set(after), case, member):
            errors.append(LineError(line, words["mutual"]))
    return errors


def _after(seating: Seating, wanted: Mapping[Pair, str]) -> dict[Pair, str]:
    """Who would read what: the file's cases as the file says with their confirmed readers, the others as they stand."""
    named = {case for case, _member in wanted}
    kept = [
        one
        for one in seating.standing
        if one.state == CONFIRMED or seating.case_at[one.case_id] not in named
    ]  # fmt: skip
    return seating.roles(kept) | dict(wanted)


def _changes(seating: Seating, wanted: Mapping[Pair, str]) -> list[LineChange]:
    now = seating.roles(seating.standing)
    after = _after(seating, wanted)
    words = dict(Assignment.Role.choices)
    found = []
    for pair in sorted({*now, *after}):
        before, then = now.get(pair), after.get(pair)
        if before != then:
            what = "add" if before is None else "remove" if then is None else "role"
            found.append(
                LineChange(
                    what, *_names(seating, pair), str(words.get(before or "", "-")), str(words.get(then or "", "-"))
                )
            )
    return found


def _names(seating: Seating, pair: Pair) -> tuple[str, str]:
    return case_name(seating.cases[pair[0]]), seating.members[pair[1]].person.name
