"""Objects that appear inside others."""

from __future__ import annotations

from api.pagination import Order
from api.sql_json import Day, Decimal, Flag, Integer, Names, OptionalText, Part, Text

BY_REF = {"ref": Order(("ref",), (str,)), "-ref": Order(("ref",), (str,), descending=True)}
SOURCE = "Where the source prints it"
SAMPLE = "Sample data (見本); nothing sample ever hangs on a real record"


class OrganizationPart(Part):
    """An organization."""

    ref = Text(help_text="Reference of the organization")
    name = Names()


class AgencyPart(Part):
    """A funding agency (資金配分機関) that runs the program."""

    ref = Text(source="organization.ref", help_text="Reference of the funding agency (資金配分機関)")
    name = Names("organization.name")


class PolicyBasisPart(Part):
    """A decision that the program rests on, as quoted in the source."""

    document = Text(source="document_ja", help_text="The decision this rests on, in Japanese")
    decided_by = OptionalText(source="decided_by_ja")
    decided_on = Text(help_text="As printed: YYYY-MM or YYYY-MM-DD")
    quotation = OptionalText(source="quotation_ja")


class TargetPart(Part):
    """A value to reach, with the term as printed."""

    term = OptionalText(source="term_ja", help_text="The term as printed, such as 初期(2022年頃)")
    value = Decimal()
    calendar_year = Integer(allow_null=True)
    is_approximate = Flag(help_text="The source says: about that year (頃)")


class ParticipationPart(Part):
    """An institution's part in a project."""

    organization = OrganizationPart()
    role = Text(help_text="lead (代表機関), partner (参画機関) or subcontractor (再委託先)")
    starts_on = Day(allow_null=True)
    ends_on = Day(allow_null=True)
