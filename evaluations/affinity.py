"""PURE: how well a case and a reader go together: fields of expertise they share, and the likeness of their texts.

Texts are compared by their character bigrams, which works for Japanese without a dictionary: both are folded (NFKC,
lower case), everything but letters and digits is a break, and the affinity is the cosine of the counts, each count damped
by its square root. A case that asks for fields counts the share of them that the reader has with 0.7, the texts with 0.3;
a case that asks for none is compared by its texts alone. 0 to 1; nothing is invented: no text, no likeness.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.text import fold
from evaluations.assignment_bound import Floats

FIELDS_COUNT = 0.7
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a case is about and asks for, or what a reader knows: keys of fields of expertise, and text."""

    fields: frozenset[int]
    text: str


def bigrams(text: str) -> Counter[str]:
    """This function will count a text's character bigrams; a word of one character counts as itself."""
    found: Counter[str] = Counter()
    for word in _WORDS.findall(fold(text)):
        found.update([word] if len(word) == 1 else [word[at : at + 2] for at in range(len(word) - 1)])
    return found


def likeness(cases: Sequence[str], readers: Sequence[str]) -> Floats:
    """This function will return the cosine of every case's and every reader's text, 0 to 1."""
    case_grams, reader_grams = [bigrams(one) for one in cases], [bigrams(one) for one in readers]
    place = {gram: at for at, gram in enumerate(dict.fromkeys(gram for one in reader_grams for gram in one))}
    return _table(case_grams, place) @ _table(reader_grams, place).T


def _table(counted: Sequence[Counter[str]], place: dict[str, int]) -> Floats:
    """One row a text, of length 1 over all of its bigrams, of which only those with a place are kept."""
    found = np.zeros((len(counted), len(place)))
    for row, grams in enumerate(counted):
        length = sum(grams.values()) ** 0.5  # the square root of the sum of squared square roots
        for gram, count in grams.items():
            if gram in place:
                found[row, place[gram]] = count**0.5 / length
    return found


def affinities(cases: Sequence[Profile], readers: Sequence[Profile]) -> Floats:
    """This function will return the affinity of every case and reader, cases by readers, 0 to 1."""
    texts = likeness([one.text for one in cases], [one.text for one in readers])
    for row, case in enumerate(cases):
        if case.fields:
            shared = [len(case.fields & one.fields) / len(case.fields) for one in readers]
            texts[row] = FIELDS_COUNT * np.asarray(shared) + (1 - FIELDS_COUNT) * texts[row]
    return np.clip(texts, 0.0, 1.0)
