"""Who may see and do what with contracts and statements of spending, and what stands in the way of them.

An institution's office and accountant see their own institution's money only; the contracting party drafts a contract
and another of its people concludes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet, Subquery
from django.db.models.functions import Length, StrIndex
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from common.fiscal_year import ends_on as year_ends_on
from common.fiscal_year import fiscal_year_of
from common.fiscal_year import label as year_label
from common.fiscal_year import starts_on as year_starts_on
from common.money import yen
from programs.models import (
    BudgetLine,
    Contract,
    FundingRule,
    Participation,
    Program,
    Project,
)
from programs.rules import (
    NOTHING,
    OFFICE_ROLES,
    not_recused,
    projects_of_headquarters,
    projects_of_member,
    projects_seen_whole,
    projects_visible,
)
from programs.rules.scope import scope_of
from programs.states import CONCLUDED, CONTRACT_MOVES, CONTRACT_WRITABLE, PROPOSED, REPLACED

COUNTED = (CONCLUDED, REPLACED)


def projects_contracted_by(user: object) -> Q:
    """This function will return the condition for the projects whose contracts this person drafts or concludes.

    The contracting party: the program's ministry staff, or the people of the agency that runs it.
    """
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    programs = sorted(scope_of(user).party)
    party = Q(program__in=programs) if programs else NOTHING
    return party & not_recused(grants.person_id)


def money_seen(user: object) -> Q:
    """This function will return the condition for rows (with `project` and `organization`) whose money the user sees."""
    grants = grants_of(user)
    seen = Q(project__in=Project.objects.filter(projects_visible(user)))
    if grants.person_id is None:
        return seen if grants.client_organization_id is not None else NOTHING
    whole = Q(project__in=Project.objects.filter(projects_seen_whole(user)))
    return seen & (whole | Q(organization__in=grants.organizations(*OFFICE_ROLES)))


@dataclass(frozen=True, slots=True)
class MoneyRights:
    """What somebody has to do with a project's money. `parts`: the institutions whose money is seen; None for all."""

    parts: frozenset[int] | None = frozenset()
    may_contract: bool = False
    may_split: bool = False


def money_rights(user: object, project: Project) -> MoneyRights:
    """This function will read what the user, who was found to see the project, sees and does with its money."""
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return MoneyRights(None if grants.client_organization_id is not None else frozenset())
    offices = grants.organizations(*OFFICE_ROLES)
    # Whoever holds no office of an institution sees the project by a role that sees all of it.
    whole = not offices or Project.objects.filter(projects_seen_whole(user), pk=project.pk).exists()
    splits = project.area_id in scope.directed or project.program_id in scope.program_director
    return MoneyRights(None if whole else frozenset(offices), project.program_id in scope.party, splits)


def contracts_visible(user: object) -> Q:
    """This function will return the condition for the contracts that this user or client may see.

    What is being written only the contracting party sees; machines see what is concluded.
    """
    if grants_of(user).client_organization_id is not None:
        return money_seen(user) & Q(state__in=COUNTED)
    party = Q(project__in=Project.objects.filter(projects_contracted_by(user)))
    return money_seen(user) & (_handed_on(user) | party)


def contracts_seen_in(user: object, rights: MoneyRights) -> Q:
    """This function will return the same condition within one project that the user was found to see."""
    own = Q() if rights.parts is None else Q(organization__in=rights.parts)
    return own if rights.may_contract else own & _handed_on(user)


def _handed_on(user: object) -> Q:
    return Q(state__in=COUNTED) | (Q(state=PROPOSED) & _inside(user))


def _inside(user: object) -> Q:
    """The directors, officers, ministry and agency of the project; its team reads a contract once it is concluded."""
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    team = projects_of_member(grants.person_id) | projects_of_headquarters(grants.person_id)
    return ~Q(project__in=Project.objects.filter(team)) & ~Q(organization__in=grants.organizations(*OFFICE_ROLES))


def may_contract(user: object, project: Project) -> bool:
    """This function will tell whether the user drafts contracts of this project."""
    return Project.objects.filter(projects_visible(user), projects_contracted_by(user), pk=project.pk).exists()


def contract_actions(user: object, contract: Contract) -> set[str]:
    """This function will return what the user may do with the contract now: `contract.edit`, ... In one query."""
    party = Q(project__in=Project.objects.filter(projects_contracted_by(user)))
    seen = Contract.objects.filter(contracts_visible(user), pk=contract.pk).order_by()
    found = seen.values_list(ExpressionWrapper(party, BooleanField()), flat=True).first()
    if found is None:
        return set()
    allowed = {"contract.view"}
    if not found:
        return allowed
    if contract.state in CONTRACT_WRITABLE:
        allowed.add("contract.edit")
    if contract.state == CONCLUDED:
        allowed.add("contract.change")
    acts = ["propose", "withdraw"]
    if contract.proposed_by_id != getattr(user, "pk", None):
        acts += ["conclude", "return"]
    return allowed | {f"contract.{act}" for act in acts if contract.state in CONTRACT_MOVES[act].sources}


def contracts_to_act_on(user: object) -> Q:
    """This function will return the condition for the contracts for which this person acts next."""
    me = grants_of(user).person_id
    if me is None or not scope_of(user).party:
        return NOTHING
    party = Q(project__in=Project.objects.filter(projects_contracted_by(user)))
    return party & (
        Q(state__in=CONTRACT_WRITABLE, opened_by__person=me) | Q(state=PROPOSED) & ~Q(proposed_by__person=me)
    )


def statements_visible(user: object) -> Q:
    """This function will return the condition for the statements of spending that this user or client may see."""
    return money_seen(user)


def parts_stated_by(user: object, project: Project) -> list[int]:
    """This function will return the project's institutions whose spending this person states: accountant or office."""
    grants = grants_of(user)
    own = grants.organizations(*OFFICE_ROLES)
    if grants.person_id is None or not own:
        return []
    if not Project.objects.filter(projects_visible(user), pk=project.pk).exists():
        return []
    return list(taking_part(project).filter(organization__in=own).values_list("organization_id", flat=True))


def taking_part(project: Project) -> QuerySet[Participation]:
    """This function will return the participations of a project as they stand today."""
    return Participation.objects.filter(project=project, ends_on__isnull=True)


# The scheme's rules ---------------------------------------------------------------------------------------------------


def funding_rule(program: Program, fiscal_year: int) -> FundingRule | None:
    """This function will return the rule that holds for a program in a fiscal year: its own, else the nearest above."""
    rules = FundingRule.objects.annotate(
        at=StrIndex(Subquery(Program.objects.filter(pk=program.pk).values("path")), F("program__path"))
    )
    return (
        rules.filter(at=1, from_fiscal_year__lte=fiscal_year)
        .order_by(Length("program__path").desc(), "-from_fiscal_year")
        .first()
    )


def largest_indirect_yen(direct_yen: int, percent: Decimal) -> int:
    """This function will return the most that indirect costs may be: the percentage of the direct costs, rounded down."""
    return int(direct_yen * percent // 100)


def is_only_grant(program_id: int, fiscal_year: int) -> bool:
    """This function will tell whether each of the program's figures of a year is or includes a management grant."""
    lines = BudgetLine.objects.filter(program=program_id, fiscal_year=fiscal_year)
    kinds = set(lines.values_list("management_grant", flat=True))
    return bool(kinds) and BudgetLine.Grant.NONE not in kinds


# What is in the way ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContractMoney:
    """A contract's money beside what limits it, in yen by fiscal year.

    `direct` and `indirect` are the contract's own; `source_yen` what the project was allocated (or the contract above
    has); `others_yen` what other contracts take of it already. `part_yen` is the institution's part of the years that
    the project has split, `part_taken_yen` what its other contracts take of that. `passed_on_yen` is what stands
    subcontracted under this contract or the one that it changes.
    """

    direct: Mapping[int, int]
    indirect: Mapping[int, int]
    source_yen: Mapping[int, int]
    others_yen: Mapping[int, int]
    rules: Mapping[int, FundingRule | None]
    part_yen: Mapping[int, int] = field(default_factory=dict)
    part_taken_yen: Mapping[int, int] = field(default_factory=dict)
    passed_on_yen: Mapping[int, int] = field(default_factory=dict)

    @property
    def years(self) -> list[int]:
        return sorted({year for table in (self.direct, self.indirect) for year, amount in table.items() if amount})

    def total(self, year: int) -> int:
        """This function will return the contract's yen of a year."""
        return self.direct.get(year, 0) + self.indirect.get(year, 0)


def contract_blockers(contract: Contract, money: ContractMoney) -> list[Blocker]:
    """This function will list what stands in the way of proposing or concluding a contract."""
    found = list(_period_blockers(contract))
    if not money.years:
        found.append(Blocker("amounts", "required", _("Enter at least one amount.")))
    first, last = fiscal_year_of(contract.starts_on), fiscal_year_of(contract.ends_on)
    for year in money.years:
        name = year_label(year, _language())
        if not first <= year <= last:
            message = _("%(year)s lies outside the contract's period. Move the amounts or change the period.")
            found.append(Blocker(f"amounts-{year}", "outside_the_period", message % {"year": name}))
        if is_only_grant(contract.project.program_id, year):
            message = _(
                "%(year)s: the program's money is or includes a management grant. It is shown, and never contracted here."
            )
            found.append(Blocker(f"amounts-{year}", "management_grant", message % {"year": name}))
        found += _rate_blockers(money, year)
        found += _source_blockers(contract, money, year) or _part_blockers(contract, money, year)
    return found + ([] if contract.reason.strip() else _passed_on_blockers(money))


def _period_blockers(contract: Contract) -> list[Blocker]:
    found = []
    if contract.ends_on < contract.starts_on:
        found.append(Blocker("ends_on", "dates_out_of_order", _("The last day cannot be before the first.")))
    year = fiscal_year_of(contract.starts_on)
    inside = year_starts_on(year) <= contract.starts_on and contract.ends_on <= year_ends_on(year)
    if contract.term == Contract.Term.SINGLE_YEAR and not inside:
        message = _("A single-year contract ends by 31 March. Choose an earlier last day or “several years”.")
        found.append(Blocker("ends_on", "more_than_one_year", message))
    if not contract.number.strip():
        found.append(Blocker("number", "required", _("Enter the contract number.")))
    return found


def _rate_blockers(money: ContractMoney, year: int) -> list[Blocker]:
    rule = money.rules.get(year)
    if rule is None or rule.indirect_cost_percent is None:
        return []
    largest = largest_indirect_yen(money.direct.get(year, 0), rule.indirect_cost_percent)
    if money.indirect.get(year, 0) <= largest:
        return []
    message = _(
        "%(year)s: indirect costs of %(amount)s are above %(percent)s%% of the direct costs (%(largest)s at most)."
    )
    figures = {
        "year": year_label(year, _language()),
        "amount": yen(money.indirect[year], _language()),
        "percent": f"{rule.indirect_cost_percent.normalize():f}",
        "largest": yen(largest, _language()),
    }
    return [Blocker(f"amounts-{year}", "indirect_above_the_rate", message % figures)]


def _source_blockers(contract: Contract, money: ContractMoney, year: int) -> list[Blocker]:
    whole = money.total(year) + money.others_yen.get(year, 0)
    has = money.source_yen.get(year, 0)
    if whole <= has or contract.reason.strip():
        return []
    if contract.prime_id:
        message = _(
            "%(year)s: %(total)s would be subcontracted of %(has)s (%(over)s over). Reduce it or enter the reason."
        )
    else:
        message = _(
            "%(year)s: %(total)s would be contracted, %(has)s are allocated (%(over)s over). Reduce it or enter the reason."
        )
    figures = {
        "year": year_label(year, _language()),
        "total": yen(whole, _language()),
        "has": yen(has, _language()),
        "over": yen(whole - has, _language()),
    }
    return [Blocker("reason", "above_the_source", message % figures)]


def _part_blockers(contract: Contract, money: ContractMoney, year: int) -> list[Blocker]:
    """Where the project's money of the year is split, an institution's contracts keep to its part."""
    whole = money.total(year) + money.part_taken_yen.get(year, 0)
    has = money.part_yen.get(year)
    if has is None or whole <= has or contract.reason.strip():
        return []
    message = _(
        "%(year)s: %(name)s would have contracts of %(total)s, its part of the split is %(has)s. Reduce it or enter the reason."
    )
    figures = {
        "year": year_label(year, _language()),
        "name": contract.organization.name,
        "total": yen(whole, _language()),
        "has": yen(has, _language()),
    }
    return [Blocker("reason", "above_the_part", message % figures)]


def _passed_on_blockers(money: ContractMoney) -> list[Blocker]:
    message = _(
        "%(year)s: %(out)s are subcontracted under this contract, which would have %(amount)s. "
        "Give it more, or enter the reason."
    )
    return [
        Blocker(
            "reason",
            "below_what_is_passed_on",
            message
            % {
                "year": year_label(year, _language()),
                "out": yen(out, _language()),
                "amount": yen(money.total(year), _language()),
            },
        )
        for year, out in sorted(money.passed_on_yen.items())
        if out > money.total(year)
    ]


@dataclass(frozen=True, slots=True)
class Stated:
    """One cost category of a statement, in yen: contracted or carried in, spent, carried over."""

    name: str
    is_direct: bool
    granted_yen: int
    spent_yen: int
    carried_over_yen: int


def moved_yen(lines: list[Stated]) -> int:
    """This function will return the yen that went into direct categories above what was granted for them."""
    return sum(max(0, one.spent_yen - one.granted_yen) for one in lines if one.is_direct)


def statement_blockers(
    lines: list[Stated],
    *,
    as_of: date,
    fiscal_year: int,
    rule: FundingRule | None,
    note: str,
    today: date,
) -> list[Blocker]:
    """This function will list what stands in the way of a statement of spending."""
    found = []
    if as_of > today:
        found.append(
            Blocker("as_of", "future", _("The day lies in the future. Enter the day up to which the books are closed."))
        )
    elif as_of < year_starts_on(fiscal_year):
        found.append(Blocker("as_of", "before_the_year", _("The day lies before the fiscal year. Enter a later day.")))
    if any(one.carried_over_yen for one in lines) and as_of < year_ends_on(fiscal_year):
        message = _("Money is carried over at the end of the fiscal year. Enter 31 March or a later day.")
        found.append(Blocker("as_of", "carried_over_early", message))
    if note.strip():
        return found
    granted = sum(one.granted_yen for one in lines)
    used = sum(one.spent_yen + one.carried_over_yen for one in lines)
    if used > granted:
        message = _(
            "%(used)s are spent or carried over, %(granted)s were granted. Check the amounts, or explain it in the note."
        )
        figures = {"used": yen(used, _language()), "granted": yen(granted, _language())}
        found.append(Blocker("note", "above_what_was_granted", message % figures))
    if rule is not None and rule.moving_limit_percent is not None:
        direct = sum(one.granted_yen for one in lines if one.is_direct)
        limit = int(direct * rule.moving_limit_percent // 100)
        if direct and moved_yen(lines) > limit:
            message = _(
                "%(moved)s were moved between categories, above the %(limit)s (%(percent)s%%). Name the approval in the note."
            )
            figures = {
                "moved": yen(moved_yen(lines), _language()),
                "limit": yen(limit, _language()),
                "percent": f"{rule.moving_limit_percent.normalize():f}",
            }
            found.append(Blocker("note", "above_the_moving_limit", message % figures))
    return found


def _language() -> str:
    return "en" if (get_language() or "ja").startswith("en") else "ja"
