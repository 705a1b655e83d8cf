"""Panels: who evaluates, in which office, with which expertise, appointed by letter and bound by a pledge."""

from datetime import date

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, Organization, SampleMark, SecondPerson, Tenure
from common.refs import ref_default
from common.sample import no_sample_on_real, same_sample_mark
from common.states import fsm_trigger
from evaluations.models.round import Round
from evaluations.states import MEMBER_MOVES


class Panel(SampleMark):
    """The panel of a round (評価委員会)."""

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("PNL"), editable=False)
    round = models.OneToOneField(Round, on_delete=models.PROTECT, related_name="panel", verbose_name=_("round"))
    #: What a member pledges; blank: the text that comes with the product.
    pledge_text = models.TextField(_("pledge"), blank=True, default="")

    class Meta:
        verbose_name = _("panel")
        verbose_name_plural = _("panels")
        triggers = [same_sample_mark("round_id", "evaluations_round")]

    def __str__(self) -> str:
        return self.ref


class Expertise(BilingualName):
    """A field of expertise that a panel needs (専門分野); a case asks for some, a member has some."""

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="expertises", verbose_name=_("panel"))
    position = models.PositiveSmallIntegerField(_("position"))

    class Meta:
        verbose_name = _("field of expertise")
        verbose_name_plural = _("fields of expertise")
        ordering = ["position", "id"]


class PanelMember(Tenure):
    """One evaluator on one panel. Proposed by one officer, approved by another; serves once accepted with the pledge."""

    class Role(models.TextChoices):
        CHAIR = "chair", _("chair")
        VICE_CHAIR = "vice_chair", _("vice chair")
        MEMBER = "member", _("member")

    class Sector(models.TextChoices):
        ACADEMIA = "academia", _("university or research institution")
        INDUSTRY = "industry", _("company or industry body")
        OTHER = "other", _("other")

    class State(models.TextChoices):
        INVITED = "invited", _("invited")
        ACCEPTED = "accepted", _("appointed")
        DECLINED = "declined", _("declined")
        ENDED = "ended", _("ended")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("PM"), editable=False)
    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="members", verbose_name=_("panel"))
    role = models.CharField(_("office"), max_length=12, choices=Role.choices, default=Role.MEMBER)
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    position = models.CharField(_("position"), max_length=100, blank=True, default="")
    sector = models.CharField(_("sector"), max_length=10, choices=Sector.choices, default=Sector.ACADEMIA)
    expertises = models.ManyToManyField(Expertise, blank=True, related_name="+", verbose_name=_("fields of expertise"))
    #: A director in the chair, an officer: attends and speaks, never scores.
    is_scoring = models.BooleanField(_("scores"), default=True)
    cases_max = models.PositiveSmallIntegerField(_("cases at most"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.INVITED)
    invited_at = models.DateTimeField(_("invited at"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    pledged_at = models.DateTimeField(_("pledge given at"), null=True, blank=True)
    pledge_text = models.TextField(_("pledge"), blank=True, default="")
    end_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta(Tenure.Meta):
        verbose_name = _("panel member")
        verbose_name_plural = _("panel members")
        ordering = ["panel_id", "id"]
        constraints = [
            *Tenure.Meta.constraints,
            models.UniqueConstraint(
                fields=["panel", "person"], condition=~Q(state__in=["declined", "ended"]), name="panelmember_once"
            ),
            models.UniqueConstraint(
                fields=["panel"], condition=Q(role="chair") & ~Q(state__in=["declined", "ended"]),
                name="panelmember_one_chair",
            ),
            models.CheckConstraint(
                name="panelmember_state_known", condition=Q(state__in=["invited", "accepted", "declined", "ended"])
            ),
            models.CheckConstraint(
                name="panelmember_serves_under_pledge",
                condition=~Q(state="accepted") | Q(pledged_at__isnull=False, approved_by__isnull=False),
            ),
        ]  # fmt: skip
        triggers = [
            fsm_trigger("member_moves", MEMBER_MOVES),
            no_sample_on_real("panel_id", "evaluations_panel", "person_id", "accounts_person"),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]


class RosterRelease(SecondPerson):
    """From which day a panel's names are public: proposed by one officer, approved by another."""

    panel = models.OneToOneField(
        Panel, on_delete=models.PROTECT, related_name="roster_release", verbose_name=_("panel")
    )
    release_on = models.DateField(_("roster published"))
    proposed_at = models.DateTimeField(_("proposed at"))
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)

    class Meta(SecondPerson.Meta):
        verbose_name = _("release of the roster")
        verbose_name_plural = _("releases of rosters")
        constraints = [
            *SecondPerson.Meta.constraints,
            models.CheckConstraint(
                name="rosterrelease_approval_whole",
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
            ),
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.panel.ref

    @property
    def published_on(self) -> date:
        """From which day the names are public: the day proposed, or that of the approval where it came later."""
        assert self.approved_at is not None
        return max(self.release_on, localdate(self.approved_at))
