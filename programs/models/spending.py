"""What institutions spent: statements by fiscal year and cost category, added to and never changed."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, SampleMark, User
from common.refs import ref_default
from common.sample import no_sample_on_real, same_sample_mark
from programs.models.plan import CostCategory
from programs.models.project import Project

_STANDS = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class SpendingStatement(SampleMark):
    """An institution's spending in a project from the start of a fiscal year to a day (支出実績); the newest counts."""

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("SPD"), editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="spending_statements", verbose_name=_("project")
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    number = models.PositiveSmallIntegerField(_("number"))
    as_of = models.DateField(_("as of"))
    note = models.TextField(_("note"), blank=True, default="")
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("submitted by"))
    submitted_at = models.DateTimeField(_("submitted at"))

    class Meta:
        verbose_name = _("statement of spending")
        verbose_name_plural = _("statements of spending")
        ordering = ["project_id", "organization_id", "-fiscal_year", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "organization", "fiscal_year", "number"], name="spending_statement_once"
            ),
        ]
        triggers = [
            _STANDS,
            same_sample_mark("project_id", "programs_project"),
            no_sample_on_real("project_id", "programs_project", "organization_id", "accounts_organization"),
        ]

    def __str__(self) -> str:
        return self.ref


class SpendingLine(models.Model):
    """One cost category of a statement: yen spent, and yen carried over (繰越) into the next fiscal year."""

    statement = models.ForeignKey(
        SpendingStatement, on_delete=models.PROTECT, related_name="lines", verbose_name=_("statement of spending")
    )
    category = models.ForeignKey(
        CostCategory, on_delete=models.PROTECT, related_name="+", verbose_name=_("cost category")
    )
    spent_yen = models.BigIntegerField(_("spent (yen)"))
    carried_over_yen = models.BigIntegerField(_("carried over (yen)"), default=0)

    class Meta:
        verbose_name = _("line of a statement of spending")
        verbose_name_plural = _("lines of statements of spending")
        ordering = ["category__position"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "category"], name="spending_line_once"),
            models.CheckConstraint(
                name="spending_line_not_negative", condition=Q(spent_yen__gte=0, carried_over_yen__gte=0)
            ),
        ]
        triggers = [_STANDS]

    def __str__(self) -> str:
        return f"{self.category_id} {self.spent_yen}"
