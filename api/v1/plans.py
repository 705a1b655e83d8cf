"""Plans (業務計画書): the approved versions, each as it stands for good."""

from __future__ import annotations

from api.filters import FlagFilter, RefFilter
from api.sql_json import (
    Choice,
    Day,
    Flag,
    Instant,
    Integer,
    Names,
    OptionalDecimal,
    OptionalText,
    Part,
    Rows,
    SqlSerializer,
    Text,
    Yen,
)
from api.v1.parts import BY_REF, SAMPLE
from api.views import NounDetail, NounList
from programs.models import ChangeRequest, PlanVersion
from programs.queries.plans import plans_visible_to

KEY = "Names the item in all versions of the plan"
TEAM = "Reference of the institution whose part it is; null: the whole team's"


class ChangePart(Part):
    """The change request (変更承認申請 and the like) that asked for this version."""

    kind = Choice(choices=ChangeRequest.Kind.choices)
    reason = Text()
    wanted_from = Day(allow_null=True)


class WorkPackagePart(Part):
    """A work package (実施項目)."""

    key = Text(help_text=KEY)
    title = Text()
    goal = OptionalText()
    organization = Text(source="organization.ref", allow_null=True, help_text=TEAM)
    starts_on = Day()
    ends_on = Day()


class PlanMilestonePart(Part):
    """A milestone as planned in this version."""

    key = Text(help_text=KEY)
    title = Text()
    planned_on = Day()
    organization = Text(source="organization.ref", allow_null=True, help_text=TEAM)
    criterion = OptionalText()
    threshold = OptionalDecimal()
    unit = OptionalText()
    direction = OptionalText(help_text="at_least or at_most")
    evidence_asked = OptionalText()
    trl_level = Integer(allow_null=True, help_text="The TRL planned to be reached with it, 1 to 9")


class PlanDeliverablePart(Part):
    """A deliverable (成果物) as planned in this version."""

    key = Text(help_text=KEY)
    title = Text()
    due_on = Day()
    organization = Text(source="organization.ref", allow_null=True, help_text=TEAM)


class PlanGatePart(Part):
    """A gate of the project; its criteria are fixed from the start of the phase before it."""

    key = Text(help_text=KEY)
    title = Text()
    held_on = Day()
    phase_starts_on = Day()
    criteria = OptionalText()
    threshold = OptionalDecimal()
    unit = OptionalText()
    direction = OptionalText(help_text="at_least or at_most")
    evidence_asked = OptionalText()


class PlanYearPart(Part):
    """The total of a fiscal year."""

    fiscal_year = Integer(help_text="Calendar year of its April")
    total_yen = Yen()


class PlanBudgetPart(Part):
    """Money of a fiscal year, institution and cost category."""

    fiscal_year = Integer(help_text="Calendar year of its April")
    organization = Text(source="organization.ref")
    category = Text(source="category.ref", help_text="Reference of the cost category")
    amount_yen = Yen()


class PlanEffortPart(Part):
    """A person's share of working time in a fiscal year."""

    person = Text(source="person.ref")
    name = Names("person.name")
    organization = Text(source="organization.ref")
    fiscal_year = Integer(help_text="Calendar year of its April")
    effort_percent = Integer()
    role = OptionalText()


class PlanOut(SqlSerializer):
    """An approved version of a project's plan (業務計画書). Drafts and versions under way are never shown to clients."""

    ref = Text(help_text="Reference, never changes")
    program = Text(source="project.program.ref")
    project = Text(source="project.ref")
    number = Integer(help_text="The version's number within its project")
    state = Text(help_text="approved")
    base = Text(source="base.ref", allow_null=True, help_text="The version this one was made from")
    starts_on = Day()
    ends_on = Day()
    effective_on = Day(help_text="In force from this day until the next version is")
    decision_number = Text(help_text="決裁番号")
    decided_on = Day(help_text="決裁日")
    approved_at = Instant()
    content_hash = Text(help_text="SHA-256 of the content as canonical JSON")
    change = ChangePart(source="change_request", allow_null=True)
    is_sample = Flag(help_text=SAMPLE)


class PlanInFullOut(PlanOut):
    """An approved version of a project's plan (業務計画書) with all its items."""

    summary = Text()
    work_packages = Rows(PlanVersion, source="planworkpackage_set", child=WorkPackagePart(), order_by=["key"])
    milestones = Rows(
        PlanVersion, source="planmilestone_set", child=PlanMilestonePart(), order_by=["planned_on", "key"]
    )
    deliverables = Rows(
        PlanVersion, source="plandeliverable_set", child=PlanDeliverablePart(), order_by=["due_on", "key"]
    )
    gates = Rows(PlanVersion, source="plangate_set", child=PlanGatePart(), order_by=["held_on", "key"])
    years = Rows(PlanVersion, source="planyear_set", child=PlanYearPart(), order_by=["fiscal_year"])
    budget = Rows(
        PlanVersion,
        source="planbudget_set",
        child=PlanBudgetPart(),
        order_by=["fiscal_year", "organization__ref", "category__position", "id"],
    )
    efforts = Rows(
        PlanVersion, source="planeffort_set", child=PlanEffortPart(), order_by=["fiscal_year", "person__ref", "id"]
    )


class PlanList(NounList):
    scopes = {"GET": "plans:read"}
    output = PlanOut
    visible = plans_visible_to
    orders = BY_REF
    filters = {
        "program": RefFilter("project__program__ref", "Plans of this program's projects"),
        "project": RefFilter("project__ref", "Plans of this project"),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class PlanDetail(NounDetail):
    scopes = {"GET": "plans:read"}
    output = PlanInFullOut
    visible = plans_visible_to
