"""Countries and territories by their two letters (ISO 3166-1 alpha-2), named in both languages as the CLDR has them."""

from __future__ import annotations

from functools import cache

from babel import Locale

HOME = "JP"
#: Two letters of the CLDR that are no country: the EU and UN, regions, and codes for testing.
_NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ", "XK", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})


@cache
def countries(language: str = "ja") -> dict[str, str]:
    """This function will return every country's name by its code, sorted by name; Japan first."""
    names = Locale("en" if language.startswith("en") else "ja").territories
    known = {
        code: str(name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
    }
    return dict(sorted(known.items(), key=lambda pair: (pair[0] != HOME, pair[1])))


def country_name(code: str, language: str = "ja") -> str:
    """This function will name a country; an unknown code shows itself."""
    return countries(language).get(code, code)
