"""An implementation policy as it is read: headings and paragraphs, and what differs between two versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from programs.plan_words import Piece, marked_pieces

#: A line that begins so is a heading.
HEADING_MARKS = ("#", "＃", "■")
#: Longer lines are shown whole, before and after: comparing them word by word takes too long.
LONGEST_COMPARED = 2000
#: Unchanged lines shown around a change.
AROUND = 1


@dataclass(frozen=True, slots=True)
class Block:
    """A heading or a paragraph."""

    text: str
    is_heading: bool


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that is the same, new, gone or changed; `skipped` stands for unchanged lines that are left out."""

    kind: str
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()
    skipped: int = 0


def blocks_of(text: str) -> list[Block]:
    """This function will read a text as headings and paragraphs; an empty line ends a paragraph."""
    found: list[Block] = []
    open_lines: list[str] = []

    def close() -> None:
        if open_lines:
            found.append(Block("\n".join(open_lines), False))
            open_lines.clear()

    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith(HEADING_MARKS):
            close()
            found.append(Block(stripped.lstrip("".join(HEADING_MARKS)).strip(), True))
        elif stripped:
            open_lines.append(stripped)
        else:
            close()
    close()
    return [block for block in found if block.text]


def text_difference(before: str, after: str) -> list[LineChange]:
    """This function will compare two texts line by line, and within changed lines word by word."""
    old, new = (
        [line for line in before.split("\n") if line.strip()],
        [line for line in after.split("\n") if line.strip()],
    )
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changes: list[LineChange] = []
    for index, (tag, i1, i2, j1, j2) in enumerate(steps):
        if tag == "equal":
            changes += _same(old[i1:i2], is_first=index == 0, is_last=index == len(steps) - 1)
        else:
            changes += _changed(old[i1:i2], new[j1:j2])
    return changes


def _same(lines: list[str], *, is_first: bool, is_last: bool) -> Iterator[LineChange]:
    head = [] if is_first else lines[:AROUND]
    rest = lines[len(head) :]
    tail = [] if is_last else rest[-AROUND:]
    for line in head:
        yield LineChange("same", after=(Piece(line),))
    if skipped := len(rest) - len(tail):
        yield LineChange("skipped", skipped=skipped)
    for line in tail:
        yield LineChange("same", after=(Piece(line),))


def _changed(old: list[str], new: list[str]) -> Iterator[LineChange]:
    paired = min(len(old), len(new))
    for one, other in zip(old[:paired], new[:paired], strict=True):
        if max(len(one), len(other)) > LONGEST_COMPARED:
            yield LineChange("changed", (Piece(one, True),), (Piece(other, True),))
        else:
            yield LineChange("changed", *marked_pieces(one, other))
    for line in old[paired:]:
        yield LineChange("removed", before=(Piece(line),))
    for line in new[paired:]:
        yield LineChange("added", after=(Piece(line),))
