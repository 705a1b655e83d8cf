"""Decisions (決定) on gate reviews: drafted by one officer, decided by another, released to everybody at one instant.

The recommendation is the panel's; the decision is the ministry's. A decided row never changes: a newer decision that
names it takes its place.
"""

import pgtrigger
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import SampleMark, User
from common.models import StoredFile
from common.refs import ref_default
from common.sample import same_sample_mark
from common.states import fsm_trigger
from evaluations.models.case import Case
from evaluations.models.gate_review import GateReview
from evaluations.states import DECISION_MOVES
from programs.models import PlanVersion

#: What a decided row may still take: its release, its coming into force, its place in the chain, its typeset papers.
_LATER = "'{state,released_by_id,released_at,in_force_at,letter_id,file_id}'::text[]"


class GateDecision(SampleMark):
    """One decision on one case of a gate review. `corrects` names the decision whose place it takes."""

    class Outcome(models.TextChoices):
        CONTINUE = "continue", _("continue")
        MODIFY = "modify", _("modify")
        STOP = "stop", _("stop")
        DEFER = "defer", _("defer to a re-examination")

    class State(models.TextChoices):
        DRAFTED = "drafted", _("drafted")
        DECIDED = "decided", _("decided, not yet released")
        RELEASED = "released", _("released")
        IN_FORCE = "in_force", _("in force")
        REPLACED = "replaced", _("replaced by a newer decision")
        WITHDRAWN = "withdrawn", _("withdrawn")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("DEC"), editable=False)
    gate_review = models.ForeignKey(
        GateReview, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("gate review")
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("case"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFTED)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    reason_code = models.SlugField(_("reason code"), max_length=32)
    reason = models.TextField(_("reason"))
    effective_on = models.DateField(_("holds from"))
    #: The last day of a project that is stopped or merged.
    ends_on = models.DateField(_("the project ends on"), null=True, blank=True)
    plan_change = models.ForeignKey(
        PlanVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("change of the plan"),
    )
    bridging_yen = models.BigIntegerField(
        _("bridging allocation (yen)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrected_by",
        verbose_name=_("in the place of the decision"),
    )  # fmt: skip
    new_case = models.ForeignKey(
        Case,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("case of the re-examination"),
    )
    number = models.CharField(_("number of the decision"), max_length=60, blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    drafted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("drafted by"))
    drafted_at = models.DateTimeField(_("drafted at"))
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_on = models.DateField(_("date of the decision"), null=True, blank=True)
    released_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("released by")
    )
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    in_force_at = models.DateTimeField(_("in force since"), null=True, blank=True)
    content = models.JSONField(_("content"), null=True, blank=True)
    content_hash = models.CharField(_("content hash"), max_length=64, blank=True, default="")
    letter = models.ForeignKey(
        StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("decision letter")
    )
    file = models.ForeignKey(
        StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("decision file")
    )

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-drafted_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="decision_state_known",
                condition=Q(state__in=["drafted", "decided", "released", "in_force", "replaced", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="decision_outcome_known", condition=Q(outcome__in=["continue", "modify", "stop", "defer"])
            ),
            models.CheckConstraint(
                name="decision_by_another", condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("drafted_by"))
            ),
            models.CheckConstraint(
                name="decision_released_by_another",
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("decided_by")),
            ),
            models.CheckConstraint(
                name="decision_decided_whole",
                condition=Q(
                    state__in=["drafted", "withdrawn"], decided_by__isnull=True, decided_at__isnull=True,
                    decided_on__isnull=True, content__isnull=True, content_hash="",
                )
                | Q(
                    state__in=["decided", "released", "in_force", "replaced"], decided_by__isnull=False,
                    decided_at__isnull=False, decided_on__isnull=False, content__isnull=False,
                )
                & ~Q(content_hash="")
                & ~Q(number=""),
            ),
            models.CheckConstraint(
                name="decision_released_whole",
                condition=(Q(state__in=["drafted", "withdrawn", "decided"], released_at__isnull=True))
                | Q(state__in=["released", "in_force"], released_at__isnull=False, released_by__isnull=False)
                | Q(state="replaced"),
            ),
            models.CheckConstraint(
                name="decision_in_force_whole", condition=~Q(state="in_force") | Q(in_force_at__isnull=False)
            ),
            # Modify changes the plan, defer has its new case; that a stop is wound down is checked by a trigger.
            models.CheckConstraint(
                name="decision_modify_changes_the_plan",
                condition=~Q(outcome="modify") | Q(state__in=["drafted", "withdrawn"]) | Q(plan_change__isnull=False),
            ),
            models.CheckConstraint(
                name="decision_stop_has_an_end",
                condition=~Q(outcome="stop") | Q(state__in=["drafted", "withdrawn"]) | Q(ends_on__isnull=False),
            ),
            models.CheckConstraint(
                name="decision_defer_has_a_new_case",
                condition=~Q(outcome="defer") | Q(state__in=["drafted", "withdrawn"]) | Q(new_case__isnull=False),
            ),
            models.CheckConstraint(
                name="decision_bridging_only_deferred",
                condition=Q(bridging_yen__isnull=True) | Q(outcome="defer", bridging_yen__gt=0),
            ),
            models.CheckConstraint(
                name="decision_not_its_own_correction", condition=Q(corrects__isnull=True) | ~Q(corrects=F("id"))
            ),
            models.UniqueConstraint(
                fields=["gate_review"], condition=Q(state="drafted"), name="decision_one_draft"
            ),
            models.UniqueConstraint(
                fields=["gate_review"], condition=Q(state="decided"), name="decision_one_decided"
            ),
            models.UniqueConstraint(
                fields=["gate_review"], condition=Q(state__in=["released", "in_force"]), name="decision_one_standing"
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["state", "drafted_at"], name="decision_state"),
            models.Index(fields=["released_at"], name="decision_released"),
        ]
        triggers = [
            fsm_trigger("decision_moves", DECISION_MOVES),
            same_sample_mark("gate_review_id", "evaluations_gatereview"),
            pgtrigger.Trigger(
                name="not_by_the_recommender",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__decided_by__isnull=False),
                func="""
                    IF EXISTS (
                        SELECT 1 FROM evaluations_finding f
                        JOIN accounts_user recommender ON recommender.id = f.recommended_by_id
                        JOIN accounts_user decider ON decider.id = NEW.decided_by_id
                        WHERE f.case_id = NEW.case_id
                          AND (recommender.id = decider.id OR recommender.person_id = decider.person_id)
                    ) THEN
                        RAISE EXCEPTION 'who recommends does not decide'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_not_by_the_recommender';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="stop_is_wound_down",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="drafted", new__state="decided"),
                func="""
                    IF NEW.ends_on IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM evaluations_winddownitem WHERE decision_id = NEW.id) THEN
                        RAISE EXCEPTION 'a project that ends needs its wind-down'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_end_is_wound_down';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="decided_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="drafted"),
                func=f"""
                    IF (to_jsonb(NEW) - {_LATER}) IS DISTINCT FROM (to_jsonb(OLD) - {_LATER})
                        OR (OLD.released_at IS NOT NULL AND NEW.released_at IS DISTINCT FROM OLD.released_at)
                        OR (OLD.released_by_id IS NOT NULL AND NEW.released_by_id IS DISTINCT FROM OLD.released_by_id)
                        OR (OLD.in_force_at IS NOT NULL AND NEW.in_force_at IS DISTINCT FROM OLD.in_force_at)
                        OR (OLD.letter_id IS NOT NULL AND NEW.letter_id IS DISTINCT FROM OLD.letter_id)
                        OR (OLD.file_id IS NOT NULL AND NEW.file_id IS DISTINCT FROM OLD.file_id) THEN
                        RAISE EXCEPTION 'the decision % is taken', OLD.ref
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_is_taken';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def merges(self) -> bool:
        """Whether the project goes on inside another one, whose plan is changed."""
        return self.plan_change is not None and self.plan_change.project_id != self.gate_review.project_id

    @property
    def ends_the_project(self) -> bool:
        """Whether the project ends: stopped, or merged into another."""
        return self.outcome == self.Outcome.STOP or self.merges
