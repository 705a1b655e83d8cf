import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from common.identifiers import (
    is_valid_award_number,
    is_valid_corporate_number,
    is_valid_erad_number,
    is_valid_orcid,
    is_valid_ror,
    normalise_number,
    normalise_orcid,
    normalise_ror,
    validate_award_number,
    validate_corporate_number,
    validate_erad_number,
    validate_orcid,
    validate_ror,
)

digits12 = st.text("0123456789", min_size=12, max_size=12)


@pytest.mark.parametrize("value", ["7000012050002", "5010005007398", "7000012060001"])
def test_corporate_number_when_published_then_valid(value):
    assert is_valid_corporate_number(value)


@given(digits12)
def test_corporate_number_when_twelve_digits_then_exactly_one_check_digit_fits(body):
    fitting = [first for first in "0123456789" if is_valid_corporate_number(first + body)]
    weighted = sum(int(body[11 - i]) * (2 if i % 2 else 1) for i in range(12))
    assert fitting == [str(9 - weighted % 9)]


@given(digits12, st.integers(0, 11), st.integers(1, 8))
def test_corporate_number_when_one_body_digit_changes_then_seen_unless_nine_for_zero(body, place, step):
    right = next(first + body for first in "123456789" if is_valid_corporate_number(first + body))
    changed = (int(right[place + 1]) + step) % 10
    wrong = right[: place + 1] + str(changed) + right[place + 2 :]
    same_mod_nine = {int(right[place + 1]), changed} == {0, 9}
    assert is_valid_corporate_number(wrong) == same_mod_nine


@pytest.mark.parametrize("value", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"])
def test_orcid_when_published_as_example_then_valid(value):
    assert is_valid_orcid(value)
    assert normalise_orcid(f"https://orcid.org/{value}") == value
    assert normalise_orcid(value.replace("-", "").lower()) == value


@given(st.text("0123456789", min_size=15, max_size=15), st.integers(0, 14), st.integers(1, 9))
def test_orcid_when_one_digit_changes_then_always_seen(body, place, step):
    right = next(
        normalise_orcid(body + check) for check in "0123456789X" if is_valid_orcid(normalise_orcid(body + check))
    )
    plain = right.replace("-", "")
    wrong = plain[:place] + str((int(plain[place]) + step) % 10) + plain[place + 1 :]
    assert not is_valid_orcid(normalise_orcid(wrong))


@pytest.mark.parametrize("value", ["057zh3y96", "03vek6s52", "042nb2s44", "052gg0110"])
def test_ror_when_registered_then_valid(value):
    assert is_valid_ror(value)
    assert normalise_ror(f"https://ror.org/{value.upper()}") == value


@given(st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=6, max_size=6))
def test_ror_when_six_characters_then_exactly_one_pair_of_check_digits_fits(body):
    assert sum(is_valid_ror(f"0{body}{check:02}") for check in range(100)) == 1


@pytest.mark.parametrize("value", ["JPMXS0118067394", "JPMXP1222TU0195", "JPMJCR1675", "JPMJKP24C3", "JPJ012367"])
def test_award_number_when_of_a_known_form_then_valid(value):
    assert is_valid_award_number(value)
    validate_award_number(normalise_number(f" {value[:4]} {value[4:]} "))


@pytest.mark.parametrize(
    "value", ["", "JP", "JPMXS", "MXS0118067394", "JPMX-0118", "JPMX 0118", "JPMXS011806７394", "jpmjcr1675"]
)
def test_award_number_when_of_no_known_form_then_refused(value):
    assert not is_valid_award_number(value)


def test_numbers_when_pasted_then_kept_as_ascii_with_leading_zeros():
    assert normalise_number("７０００－０１２０　５０００２") == "7000012050002"
    assert normalise_number(" ００１２３４５６ ") == "00123456"
    assert is_valid_erad_number("00123456")


@pytest.mark.parametrize(
    ("check", "value", "code"),
    [
        (validate_corporate_number, "8000012050002", "corporate_number_check_digit"),
        (validate_corporate_number, "700001205000", "corporate_number_form"),
        (validate_corporate_number, "７０００012050002", "corporate_number_form"),
        (validate_corporate_number, "7000012050002\n", "corporate_number_form"),
        (validate_orcid, "0000-0002-1825-0098", "orcid_check_digit"),
        (validate_orcid, "0000000218250097", "orcid_form"),
        (validate_ror, "057zh3y97", "ror_check_digit"),
        (validate_ror, "157zh3y96", "ror_form"),
        (validate_ror, "05ilou196", "ror_form"),
        (validate_erad_number, "1234567", "erad_number_form"),
        (validate_erad_number, "123456789", "erad_number_form"),
        (validate_award_number, "MXS0118067394", "award_number_form"),
    ],
)
def test_validate_when_wrong_then_its_own_code_and_a_message_to_act_on(check, value, code):
    with pytest.raises(ValidationError) as refusal:
        check(value)
    assert refusal.value.code == code
    assert refusal.value.message


@given(st.text(max_size=20))
def test_identifiers_when_given_anything_then_no_crash(text):
    for normalise, is_valid in (
        (normalise_number, is_valid_corporate_number),
        (normalise_number, is_valid_erad_number),
        (normalise_number, is_valid_award_number),
        (normalise_orcid, is_valid_orcid),
        (normalise_ror, is_valid_ror),
    ):
        value = normalise(text)
        assert normalise(value) == value
        assert is_valid(value) in (True, False)
