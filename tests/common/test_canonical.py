from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from common.canonical import canonical_json, content_hash

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@dataclass
class Fact:
    name: str
    amount_yen: int


def test_canonical_json_when_of_many_types_then_one_plain_form():
    data = {
        "事実": Fact("量子", 5_152_000_000),
        "b": (1, Decimal("1.50"), Decimal("100")),
        "a": {3, 1, 2},
        "on": date(2026, 6, 12),
        "at": datetime(2026, 6, 12, 17, 0, tzinfo=timezone(timedelta(hours=9))),
        "word": gettext_lazy("a word that is in no catalogue"),
        2022: None,
    }
    assert canonical_json(data).decode() == (
        '{"2022":null,"a":[1,2,3],"at":"2026-06-12T08:00:00+00:00","b":[1,"1.5","100"],"on":"2026-06-12",'
        '"word":"a word that is in no catalogue","事実":{"amount_yen":5152000000,"name":"量子"}}'
    )


def test_content_hash_when_of_known_data_then_the_known_hash():
    assert content_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    at = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)
    assert content_hash([at]) == content_hash([at.astimezone(timezone(timedelta(hours=9)))])


@given(st.dictionaries(st.text(), plain, max_size=5))
def test_content_hash_when_keys_come_in_another_order_then_the_same(data):
    assert content_hash(dict(reversed(data.items()))) == content_hash(data)


@given(st.lists(plain, min_size=1, max_size=4), plain)
def test_content_hash_when_something_is_added_then_another(data, more):
    assert content_hash([*data, more]) != content_hash(data)


@pytest.mark.parametrize("value", [object(), b"bytes", datetime(2026, 6, 12), Fact, {1.5: "a"}, {True: "a"}])
def test_canonical_json_when_a_value_has_no_one_form_then_an_error(value):
    with pytest.raises(TypeError):
        canonical_json({"value": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_canonical_json_when_no_number_then_an_error(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)
