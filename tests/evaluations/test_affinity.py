"""Affinity: shared fields and the likeness of Japanese texts, 0 to 1, nothing invented."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.affinity import Profile, affinities, bigrams, likeness


def test_bigrams_when_text_is_japanese_then_folded_and_broken_at_signs():
    assert bigrams("量子計算、ＡＢ") == {"量子": 1, "子計": 1, "計算": 1, "ab": 1}
    assert bigrams("光") == {"光": 1}
    assert bigrams("") == {}


def test_likeness_when_the_same_then_one_and_when_nothing_is_shared_then_nought():
    found = likeness(["量子コンピュータ", "ナノ材料", ""], ["量子コンピュータ", "光格子時計"])
    assert found[0, 0] == pytest.approx(1.0)
    assert found[0, 1] == 0.0
    assert found[2].tolist() == [0.0, 0.0]


def test_likeness_when_one_is_nearer_then_it_is_higher():
    found = likeness(["超伝導量子コンピュータの研究開発"], ["量子コンピュータ", "量子計測", "農業土木"])
    assert found[0, 0] > found[0, 1] > found[0, 2] == 0.0


def test_affinity_when_fields_are_asked_for_then_their_share_counts_most():
    case = Profile(frozenset({1, 2}), "量子計測")
    readers = [Profile(frozenset({1, 2}), ""), Profile(frozenset({1}), "量子計測"), Profile(frozenset(), "量子計測")]
    assert affinities([case], readers)[0].tolist() == pytest.approx([0.7, 0.65, 0.3])
    assert affinities([Profile(frozenset(), "量子計測")], readers)[0].tolist() == pytest.approx([0.0, 1.0, 1.0])


@settings(max_examples=60)
@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_likeness_when_texts_are_anything_then_within_nought_and_one(cases, readers):
    found = likeness(cases, readers)
    assert found.shape == (len(cases), len(readers))
    assert np.all(found >= 0)
    assert np.all(found <= 1 + 1e-9)
