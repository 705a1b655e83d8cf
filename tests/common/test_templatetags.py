from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template
from django.utils.translation import override


def shown(expression: str, value, language: str = "ja") -> str:
    with override(language):
        return Template("{% load sekisho %}{{ value|" + expression + " }}").render(Context({"value": value}))


@pytest.mark.parametrize(
    ("expression", "value", "japanese", "english"),
    [
        ("million", 5_152_000_000, "5,152", "5,152"),
        ("million", -26_000_000_000, "△ 26,000", "△ 26,000"),
        ("million", None, "-", "-"),
        ("oku", 63_900_000_000, "639億円", "63,900 million yen"),
        ("printed:'oku'", 63_900_000_000, "639億円", "63,900 million yen"),
        ("printed:'million'", 5_152_000_000, "5,152百万円", "5,152 million yen"),
        ("yen", 5_152_000_000, "5,152,000,000円", "5,152,000,000 yen"),
        ("fiscal_year", 2022, "令和4(2022)年度", "FY2022 (Reiwa 4)"),
        ("fiscal_year", None, "", ""),
        ("era", date(2019, 5, 1), "令和元年", "Reiwa 1"),
        ("date_ja", date(2026, 6, 12), "2026年6月12日(金)", "2026-06-12 (Fri)"),
        ("date_text", None, "", ""),
        (
            "datetime_ja",
            datetime(2026, 6, 12, 8, 0, tzinfo=UTC),
            "2026年6月12日(金) 17:00",
            "2026-06-12 (Fri) 17:00 JST",
        ),
        ("datetime_text", None, "", ""),
    ],
)
def test_filter_when_used_in_a_page_then_in_the_language_of_the_page(expression, value, japanese, english):
    assert shown(expression, value) == japanese
    assert shown(expression, value, "en") == english


def test_filter_when_the_variable_does_not_exist_then_as_no_value():
    filters = ("million", "printed:'oku'", "fiscal_year", "date_ja")
    page = "{% load sekisho %}" + "".join("{{ nothing|" + name + " }}" for name in filters)
    assert Template(page).render(Context()) == "--"
