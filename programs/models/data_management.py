"""Data management plans (データマネジメントプラン) in versions, each with its data sets and how they are shared."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, SampleMark, User
from common.refs import ref_default
from common.sample import same_sample_mark
from common.states import fsm_trigger
from programs.models.project import Project
from programs.states import DATA_PLAN_MOVES, DATA_PLAN_OPEN, DATA_PLAN_WRITABLE


class DataManagementPlan(SampleMark):
    """One version of a project's data management plan. A confirmed one never changes: the next version does."""

    class State(models.TextChoices):
        DRAFTING = "drafting", _("being written")
        RETURNED = "returned", _("returned")
        SUBMITTED = "submitted", _("submitted")
        CONFIRMED = "confirmed", _("confirmed")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("DMP"), editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="data_plans", verbose_name=_("project"))
    number = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFTING)
    policy = models.TextField(_("how data are kept and shared"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    returned_note = models.TextField(_("why it came back"), blank=True, default="")
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by"))
    opened_at = models.DateTimeField(_("opened at"))
    submitted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("submitted by")
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("confirmed by")
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("data management plan")
        verbose_name_plural = _("data management plans")
        ordering = ["project_id", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "number"], name="data_plan_version_once"),
            models.UniqueConstraint(
                fields=["project"], name="one_open_data_plan", condition=Q(state__in=sorted(DATA_PLAN_OPEN))
            ),
            models.CheckConstraint(
                name="data_plan_state_known", condition=Q(state__in=[*sorted(DATA_PLAN_OPEN), "confirmed"])
            ),
            models.CheckConstraint(
                name="data_plan_second_person",
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("submitted_by")),
            ),
            models.CheckConstraint(
                name="data_plan_confirmed_whole",
                condition=~Q(state="confirmed") | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
            ),
        ]
        triggers: ClassVar = [
            fsm_trigger("data_plan_moves", DATA_PLAN_MOVES),
            same_sample_mark("project_id", "programs_project"),
            pgtrigger.Protect(
                name="confirmed_stands",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="confirmed"),
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def is_writable(self) -> bool:
        """Whether the team may change it."""
        return self.state in DATA_PLAN_WRITABLE


_OPEN_STATES = ", ".join(f"'{state}'" for state in sorted(DATA_PLAN_WRITABLE))


class DataSet(models.Model):
    """A data set in one version: what it is, who keeps it where, and how it is shared. `key` names it in all versions."""

    class Sharing(models.TextChoices):
        OPEN = "open", _("open to everybody")
        SHARED = "shared", _("shared with some")
        EMBARGO = "embargo", _("open after an embargo")
        CLOSED = "closed", _("not shared")

    plan = models.ForeignKey(
        DataManagementPlan, on_delete=models.PROTECT, related_name="data_sets", verbose_name=_("data management plan")
    )
    key = models.CharField(_("key"), max_length=16)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True, default="")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    sharing = models.CharField(_("sharing"), max_length=8, choices=Sharing.choices)
    embargo_until = models.DateField(_("embargo until"), null=True, blank=True)
    reason = models.CharField(_("why it is not open"), max_length=300, blank=True, default="")
    licence = models.CharField(_("licence"), max_length=100, blank=True, default="")
    location = models.CharField(_("repository or place"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("data set")
        verbose_name_plural = _("data sets")
        ordering = ["plan_id", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "key"], name="data_set_once"),
            models.CheckConstraint(
                name="data_set_sharing_known", condition=Q(sharing__in=["open", "shared", "embargo", "closed"])
            ),
            models.CheckConstraint(
                name="data_set_embargo_has_a_day",
                condition=Q(sharing="embargo", embargo_until__isnull=False)
                | (~Q(sharing="embargo") & Q(embargo_until__isnull=True)),
            ),
            models.CheckConstraint(name="data_set_closed_has_a_reason", condition=~Q(sharing="closed") | ~Q(reason="")),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="version_is_open",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("plan_state", "text"), ("touched", "bigint")],
                func=f"""
                    IF TG_OP = 'DELETE' THEN touched := OLD.plan_id; ELSE touched := NEW.plan_id; END IF;
                    SELECT state INTO plan_state FROM programs_datamanagementplan WHERE id = touched FOR SHARE;
                    IF plan_state NOT IN ({_OPEN_STATES}) THEN
                        RAISE EXCEPTION 'the data management plan % is not open', touched
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'data_set_version_is_open';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.name
