"""Identifiers of people, organizations and awards: checked where they are typed, imported or posted.

Each has `normalise_*` (what people paste > what is kept), `is_valid_*` (of the kept form) and `validate_*` (for model
fields: a ValidationError that says what to do). Sources: the National Tax Agency's rule for corporate numbers,
ISO 7064 MOD 11-2 for ORCID, ROR's identifier pattern, and the forms of 体系的番号 in use.
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.text import clean_line, half_width

_CORPORATE_NUMBER = re.compile(r"[0-9]{13}")
_ORCID = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]")
_ROR_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ROR = re.compile(r"0[0-9a-hjkmnp-tv-z]{6}[0-9]{2}")
_ERAD_NUMBER = re.compile(r"[0-9]{8}")
#: No check digit and no common length exist; all known ones begin with JP and carry digits.
_AWARD_NUMBER = re.compile(r"JP(?=[A-Za-z]*[0-9])[0-9A-Za-z]{4,20}")
_DASHES = re.compile("[\u2010-\u2015\u2212\u30fc\uff70]")


def normalise_number(text: str) -> str:
    """This function will return a corporate, e-Rad or award number as it is kept: ASCII, without spaces and hyphens."""
    return re.sub(r"[\s-]", "", _DASHES.sub("-", half_width(clean_line(text))))


def normalise_orcid(text: str) -> str:
    """This function will return an ORCID iD as 0000-0002-1825-0097, from its address or without hyphens as well."""
    plain = _without_address(text, "orcid.org").replace("-", "").upper()
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def normalise_ror(text: str) -> str:
    """This function will return a ROR id as its nine characters, from its address as well."""
    return _without_address(text, "ror.org").lower()


def is_valid_corporate_number(value: str) -> bool:
    """This function will tell whether these are 13 digits whose first is the check digit 9 - (sum(Pn * Qn) mod 9)."""
    if not _CORPORATE_NUMBER.fullmatch(value):
        return False
    weighted = sum(int(digit) * (1 if n % 2 else 2) for n, digit in enumerate(reversed(value[1:]), start=1))
    return int(value[0]) == 9 - weighted % 9


def is_valid_orcid(value: str) -> bool:
    """This function will tell whether this is an ORCID iD with a right check character (ISO 7064 MOD 11-2)."""
    if not _ORCID.fullmatch(value):
        return False
    digits = value.replace("-", "")
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return digits[-1] == ("X" if check == 10 else str(check))


def is_valid_ror(value: str) -> bool:
    """This function will tell whether this is a ROR id whose last two digits are 98 - (100 n mod 97)."""
    if not _ROR.fullmatch(value):
        return False
    number = 0
    for character in value[:7]:
        number = number * 32 + _ROR_ALPHABET.index(character)
    return int(value[7:]) == 98 - number * 100 % 97


def is_valid_erad_number(value: str) -> bool:
    """This function will tell whether this is an e-Rad researcher number: 8 digits, leading zeros kept."""
    return bool(_ERAD_NUMBER.fullmatch(value))


def is_valid_award_number(value: str) -> bool:
    """This function will tell whether this has the form of a systematic award number (体系的番号)."""
    return bool(_AWARD_NUMBER.fullmatch(value))


def validate_corporate_number(value: str) -> None:
    """This function will raise ValidationError unless the value is a corporate number."""
    if not _CORPORATE_NUMBER.fullmatch(value):
        raise ValidationError(_("Enter the corporate number as 13 digits."), code="corporate_number_form")
    if not is_valid_corporate_number(value):
        raise ValidationError(
            _("Check the corporate number: its first digit, the check digit, does not match the other twelve."),
            code="corporate_number_check_digit",
        )


def validate_orcid(value: str) -> None:
    """This function will raise ValidationError unless the value is an ORCID iD."""
    if not _ORCID.fullmatch(value):
        raise ValidationError(_("Enter the ORCID iD in the form 0000-0002-1825-0097."), code="orcid_form")
    if not is_valid_orcid(value):
        raise ValidationError(
            _("Check the ORCID iD: its last character, the check character, does not match the others."),
            code="orcid_check_digit",
        )


def validate_ror(value: str) -> None:
    """This function will raise ValidationError unless the value is a ROR id."""
    if not _ROR.fullmatch(value):
        raise ValidationError(_("Enter the ROR id as nine characters, such as 057zh3y96."), code="ror_form")
    if not is_valid_ror(value):
        raise ValidationError(
            _("Check the ROR id: its last two digits, the check digits, do not match the others."),
            code="ror_check_digit",
        )


def validate_erad_number(value: str) -> None:
    """This function will raise ValidationError unless the value is an e-Rad researcher number."""
    if not is_valid_erad_number(value):
        raise ValidationError(
            _("Enter the e-Rad researcher number as 8 digits, with its leading zeros."), code="erad_number_form"
        )


def validate_award_number(value: str) -> None:
    """This function will raise ValidationError unless the value has the form of an award number."""
    if not is_valid_award_number(value):
        raise ValidationError(
            _("Enter the award number as printed on the contract, such as JPMXS0118067394: it begins with JP."),
            code="award_number_form",
        )


def _without_address(text: str, host: str) -> str:
    plain = _DASHES.sub("-", half_width(clean_line(text))).replace(" ", "")
    return re.sub(rf"(?i)^(?:https?://)?(?:www\.)?{re.escape(host)}/", "", plain).rstrip("/")
