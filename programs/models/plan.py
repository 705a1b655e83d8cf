"""Plans (業務計画書) in versions: the items of each version, and the request that asks for the next one.

A version that is being written is open to its authors; from its submission on its items stand still, in the database too.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, Organization, Person, SampleMark, User
from common.models import StoredFile
from common.refs import ref_default
from common.sample import no_sample_on_real, same_sample_mark
from common.states import fsm_trigger
from programs.models.milestone import StageGate
from programs.models.project import Project
from programs.states import PLAN_MOVES, PLAN_OPEN, PLAN_WRITABLE

YEARS = [MinValueValidator(1990), MaxValueValidator(2100)]


class CostCategory(BilingualName):
    """A category of costs (物品費, 人件費・謝金, 旅費, その他): data, since schemes differ."""

    ref = models.SlugField(_("reference"), max_length=32, unique=True)
    position = models.PositiveSmallIntegerField(_("position"))
    is_direct = models.BooleanField(_("direct cost"), default=True)

    class Meta:
        verbose_name = _("cost category")
        verbose_name_plural = _("cost categories")
        ordering = ["position", "ref"]


class PlanVersion(SampleMark):
    """One version of a project's plan. An approved one never changes: the next version does."""

    class State(models.TextChoices):
        DRAFTING = "drafting", _("being written")
        RETURNED = "returned", _("returned")
        SUBMITTED = "submitted", _("submitted")
        CHECKED = "checked", _("checked by the PO")
        CONFIRMED = "confirmed", _("confirmed by the PD")
        IN_APPROVAL = "in_approval", _("up for approval")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("PLN"), editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="plan_versions", verbose_name=_("project")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    base = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("made from")
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFTING)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    summary = models.TextField(_("summary"), blank=True, default="")
    #: Grows with every saved change of the period or the summary.
    revision = models.PositiveIntegerField(_("revision"), default=0)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by"))
    opened_at = models.DateTimeField(_("opened at"))
    submitted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("submitted by")
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    checked_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("checked by")
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("confirmed by")
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    approval_drafted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("approval drafted by"),
    )  # fmt: skip
    approval_drafted_at = models.DateTimeField(_("approval drafted at"), null=True, blank=True)
    decision_number = models.CharField(_("number of the decision"), max_length=60, blank=True, default="")
    approved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    decided_on = models.DateField(_("date of the decision"), null=True, blank=True)
    effective_on = models.DateField(_("in force from"), null=True, blank=True)
    content_hash = models.CharField(_("content hash"), max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("plan version")
        verbose_name_plural = _("plan versions")
        ordering = ["project_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="plan_version_once"),
            models.UniqueConstraint(
                fields=["project"], name="one_open_plan_version", condition=Q(state__in=sorted(PLAN_OPEN))
            ),
            models.UniqueConstraint(
                fields=["project", "effective_on"], name="one_plan_from_a_day", condition=Q(state="approved")
            ),
            models.CheckConstraint(
                name="plan_version_state_known",
                condition=Q(state__in=sorted([*PLAN_OPEN, "approved", "refused", "withdrawn"])),
            ),
            models.CheckConstraint(name="plan_period_in_order", condition=Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(
                name="plan_approved_by_another",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("approval_drafted_by")),
            ),
            models.CheckConstraint(
                name="plan_approved_whole",
                condition=~Q(state="approved")
                | Q(
                    approval_drafted_by__isnull=False, approved_by__isnull=False, approved_at__isnull=False,
                    decided_on__isnull=False, effective_on__isnull=False,
                )
                & ~Q(decision_number="")
                & ~Q(content_hash=""),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["state", "submitted_at"], name="plan_version_state")]
        triggers = [
            fsm_trigger("plan_moves", PLAN_MOVES),
            same_sample_mark("project_id", "programs_project"),
            pgtrigger.Protect(
                name="approved_stands",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="approved"),
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def is_writable(self) -> bool:
        """Whether its authors may change it."""
        return self.state in PLAN_WRITABLE


def _stands_still(of: str = "{row}.version_id") -> pgtrigger.Trigger:
    """Refuses every write while the version is not being written. `of`: SQL for the version of the row touched."""
    # The lock on the version orders a late save against a submission: whoever comes second sees the other's work.
    return pgtrigger.Trigger(
        name="version_is_open",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        declare=[("version_state", "text"), ("touched", "bigint")],
        func=f"""
            IF TG_OP = 'DELETE' THEN touched := {of.format(row="OLD")}; ELSE touched := {of.format(row="NEW")}; END IF;
            SELECT state INTO version_state FROM programs_planversion WHERE id = touched FOR SHARE;
            IF version_state NOT IN ({", ".join(f"'{state}'" for state in sorted(PLAN_WRITABLE))}) THEN
                RAISE EXCEPTION 'the plan version % is not open', touched
                    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_version_is_open';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
        """,
    )


class PlanItem(models.Model):
    """Something in a version. `key` names it in all versions; `revision` grows with every save while it is written."""

    version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="%(class)s_set", verbose_name=_("plan version")
    )
    key = models.CharField(_("key"), max_length=120)
    revision = models.PositiveIntegerField(_("revision"), default=0)

    class Meta:
        abstract = True
        constraints: ClassVar = [models.UniqueConstraint(fields=["version", "key"], name="%(class)s_once")]
        triggers: ClassVar = [_stands_still()]

    def __str__(self) -> str:
        return self.key


class OwnedItem(PlanItem):
    """An item that belongs to one institution's part; empty is the team's."""

    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("institution")
    )

    class Meta(PlanItem.Meta):
        abstract = True
        triggers: ClassVar = [
            *PlanItem.Meta.triggers,
            no_sample_on_real("version_id", "programs_planversion", "organization_id", "accounts_organization"),
        ]


class Measured(models.Model):
    """A criterion: a threshold with unit and direction, else in words."""

    class Direction(models.TextChoices):
        AT_LEAST = "at_least", _("at least")
        AT_MOST = "at_most", _("at most")

    threshold = models.DecimalField(_("threshold"), max_digits=20, decimal_places=6, null=True, blank=True)
    unit = models.CharField(_("unit"), max_length=40, blank=True, default="")
    direction = models.CharField(_("direction"), max_length=10, choices=Direction.choices, blank=True, default="")
    evidence_asked = models.TextField(_("evidence asked for"), blank=True, default="")

    class Meta:
        abstract = True

    def clean(self) -> None:
        """This function will ask for the direction of a threshold."""
        if self.threshold is not None and not self.direction:
            raise ValidationError({"direction": _("Say whether the threshold is the least or the most.")})


class PlanWorkPackage(OwnedItem):
    """A work package (実施項目)."""

    title = models.CharField(_("title"), max_length=200)
    goal = models.TextField(_("goal"), blank=True, default="")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))

    class Meta(OwnedItem.Meta):
        verbose_name = _("work package")
        verbose_name_plural = _("work packages")


class PlanMilestone(OwnedItem, Measured):
    """A planned milestone."""

    title = models.CharField(_("title"), max_length=200)
    planned_on = models.DateField(_("planned for"))
    criterion = models.TextField(_("criterion"), blank=True, default="")
    trl_level = models.PositiveSmallIntegerField(
        _("TRL planned"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )

    class Meta(OwnedItem.Meta):
        verbose_name = _("milestone of the plan")
        verbose_name_plural = _("milestones of the plan")
        constraints: ClassVar = [
            *PlanItem.Meta.constraints,
            models.CheckConstraint(
                name="planmilestone_trl_range", condition=Q(trl_level__isnull=True) | Q(trl_level__range=(1, 9))
            ),
        ]


class PlanDeliverable(OwnedItem):
    """A planned deliverable (成果物)."""

    title = models.CharField(_("title"), max_length=200)
    due_on = models.DateField(_("due on"))

    class Meta(OwnedItem.Meta):
        verbose_name = _("deliverable of the plan")
        verbose_name_plural = _("deliverables of the plan")


class PlanGate(PlanItem, Measured):
    """A gate of the project, with the criteria that stand from the start of the phase before it."""

    gate = models.ForeignKey(
        StageGate, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("stage gate")
    )
    title = models.CharField(_("title"), max_length=200)
    held_on = models.DateField(_("date"))
    phase_starts_on = models.DateField(_("the phase before it starts on"))
    criteria = models.TextField(_("criteria"), blank=True, default="")

    class Meta(PlanItem.Meta):
        verbose_name = _("gate of the plan")
        verbose_name_plural = _("gates of the plan")


class PlanYear(PlanItem):
    """The money of a fiscal year as the plan states it; its cells have to add up to it."""

    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"), validators=YEARS)
    total_yen = models.BigIntegerField(_("total (yen)"), validators=[MinValueValidator(0)])

    class Meta(PlanItem.Meta):
        verbose_name = _("year of the plan")
        verbose_name_plural = _("years of the plan")
        constraints: ClassVar = [
            *PlanItem.Meta.constraints,
            models.CheckConstraint(name="planyear_not_negative", condition=Q(total_yen__gte=0)),
        ]


class PlanBudget(OwnedItem):
    """Money of a fiscal year, institution and cost category (経費計画)."""

    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"), validators=YEARS)
    category = models.ForeignKey(
        CostCategory, on_delete=models.PROTECT, related_name="+", verbose_name=_("cost category")
    )
    amount_yen = models.BigIntegerField(_("amount (yen)"), validators=[MinValueValidator(0)])

    class Meta(OwnedItem.Meta):
        verbose_name = _("budget of the plan")
        verbose_name_plural = _("budgets of the plan")
        constraints: ClassVar = [
            *PlanItem.Meta.constraints,
            models.UniqueConstraint(
                fields=["version", "fiscal_year", "organization", "category"], name="planbudget_cell_once"
            ),
            models.CheckConstraint(name="planbudget_whole", condition=Q(amount_yen__gte=0, organization__isnull=False)),
        ]


class PlanEffort(OwnedItem):
    """A person's share of working time in a fiscal year."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"), validators=YEARS)
    effort_percent = models.PositiveSmallIntegerField(_("effort (%)"), validators=[MaxValueValidator(100)])
    role = models.CharField(_("role"), max_length=100, blank=True, default="")

    class Meta(OwnedItem.Meta):
        verbose_name = _("effort of the plan")
        verbose_name_plural = _("efforts of the plan")
        constraints: ClassVar = [
            *PlanItem.Meta.constraints,
            models.UniqueConstraint(
                fields=["version", "person", "fiscal_year", "organization"], name="planeffort_row_once"
            ),
            models.CheckConstraint(
                name="planeffort_whole", condition=Q(effort_percent__lte=100, organization__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["person", "fiscal_year"], name="planeffort_person")]
        triggers: ClassVar = [
            *OwnedItem.Meta.triggers,
            no_sample_on_real("version_id", "programs_planversion", "person_id", "accounts_person"),
        ]


class PlanComment(models.Model):
    """What somebody says when returning or refusing a version, about the whole or about one item. Never changed."""

    version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="comments", verbose_name=_("plan version")
    )
    item_key = models.CharField(_("key"), max_length=120, blank=True, default="")
    text = models.TextField(_("comment"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("comment on a plan")
        verbose_name_plural = _("comments on plans")
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.text[:60]


class ChangeRequest(models.Model):
    """Why there is a next version: what kind of change it is, and its reason. The change itself is the difference."""

    class Kind(models.TextChoices):
        APPROVAL = "approval", _("application for approval of a change")
        NOTICE = "notice", _("notice of a change")
        STOP = "stop", _("application for approval of a stop")

    version = models.OneToOneField(
        PlanVersion, on_delete=models.PROTECT, related_name="change_request", verbose_name=_("plan version")
    )
    kind = models.CharField(_("kind of change"), max_length=12, choices=Kind.choices)
    reason = models.TextField(_("reason"), blank=True, default="")
    wanted_from = models.DateField(_("wanted from"), null=True, blank=True)

    class Meta:
        verbose_name = _("change request")
        verbose_name_plural = _("change requests")
        constraints = [
            models.CheckConstraint(name="change_kind_known", condition=Q(kind__in=["approval", "notice", "stop"]))
        ]
        triggers = [_stands_still()]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version_id}"


class ChangeAttachment(models.Model):
    """A file that goes with a change request."""

    request = models.ForeignKey(
        ChangeRequest, on_delete=models.PROTECT, related_name="attachments", verbose_name=_("change request")
    )
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    added_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["added_at", "id"]
        constraints = [models.UniqueConstraint(fields=["request", "file"], name="change_attachment_once")]
        triggers = [_stands_still("(SELECT version_id FROM programs_changerequest WHERE id = {row}.request_id)")]

    def __str__(self) -> str:
        return str(self.file)
