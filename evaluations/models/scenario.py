"""Scenarios: what outcomes for the projects of a round would come to. They change nothing outside themselves."""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import SampleMark, User
from common.refs import ref_default
from common.sample import same_sample_mark
from common.states import fsm_trigger
from evaluations.models.gate_review import GateReview
from evaluations.models.round import Round
from evaluations.portfolio import LARGEST_SHARE
from evaluations.states import SCENARIO_MOVES


class Scenario(SampleMark):
    """One person's thinking about a round. A kept one stands still, with the figures of its day; a copy goes on."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        KEPT = "kept", _("kept")
        ARCHIVED = "archived", _("archived")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("SCN"), editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="+", verbose_name=_("round"))
    name = models.CharField(_("name"), max_length=200)
    note = models.TextField(_("note"), blank=True, default="")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner"))
    is_shared = models.BooleanField(_("shared with the program's staff, PDs and POs"), default=False)
    #: The first fiscal year in which the outcomes take effect.
    from_year = models.PositiveSmallIntegerField(_("takes effect from fiscal year"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.DRAFT)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    cloned_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("copied from")
    )
    made_at = models.DateTimeField(_("made at"))
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)
    kept_at = models.DateTimeField(_("kept at"), null=True, blank=True)

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="scenario_state_known", condition=Q(state__in=["draft", "kept", "archived"])
            ),
            models.CheckConstraint(
                name="scenario_kept_has_time",
                condition=Q(state="draft", kept_at__isnull=True) | (~Q(state="draft") & Q(kept_at__isnull=False)),
            ),
            models.CheckConstraint(name="scenario_has_a_name", condition=~Q(name="")),
        ]  # fmt: skip
        indexes = [models.Index(fields=["round", "owner"], name="scenario_round_owner")]
        triggers = [
            fsm_trigger("scenario_moves", SCENARIO_MOVES),
            same_sample_mark("round_id", "evaluations_round"),
            pgtrigger.Protect(
                name="kept_is_not_deleted", operation=pgtrigger.Delete, condition=~pgtrigger.Q(old__state="draft")
            ),
            pgtrigger.Trigger(
                name="kept_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="draft"),
                func="""
                    IF (to_jsonb(NEW) - '{state,is_shared,cloned_from_id}'::text[])
                        IS DISTINCT FROM (to_jsonb(OLD) - '{state,is_shared,cloned_from_id}'::text[]) THEN
                        RAISE EXCEPTION 'a kept scenario stands still'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'scenario_kept_stands';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name


def _of_a_draft(*reviews: str) -> pgtrigger.Trigger:
    """What hangs on a scenario is written while it is a draft, and only about reviews of its own round."""
    named = ", ".join(f"NEW.{review}" for review in reviews)
    return pgtrigger.Trigger(
        name="of_a_draft",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=f"""
            IF (SELECT state FROM evaluations_scenario WHERE id = COALESCE(NEW.scenario_id, OLD.scenario_id)) <> 'draft'
            THEN
                RAISE EXCEPTION 'a kept scenario stands still'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'scenario_kept_stands';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            IF EXISTS (
                SELECT 1 FROM evaluations_gatereview r JOIN evaluations_scenario s ON s.id = NEW.scenario_id
                WHERE r.id IN ({named}) AND r.round_id <> s.round_id
            ) THEN
                RAISE EXCEPTION 'the review is of another round'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'scenario_of_one_round';
            END IF;
            RETURN NEW;
        """,
    )


class ScenarioOutcome(models.Model):
    """What one scenario sets for one project; nothing set is "continue"."""

    class Outcome(models.TextChoices):
        CONTINUE = "continue", _("continue")
        MODIFY = "modify", _("modify")
        LATER = "later", _("a year later")
        STOP = "stop", _("stop")

    scenario = models.ForeignKey(
        Scenario, on_delete=models.CASCADE, related_name="outcomes", verbose_name=_("scenario")
    )
    review = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="+", verbose_name=_("gate review"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, default=Outcome.CONTINUE)
    share_percent = models.PositiveSmallIntegerField(
        _("share of the plan (%)"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_SHARE)],
    )  # fmt: skip
    #: Yen by fiscal year, where a modification names them: {"2027": 50000000}.
    yen_by_year = models.JSONField(_("yen by fiscal year"), null=True, blank=True)
    #: Plan, contracts and levels on the day the scenario was kept, in which it stands from then on.
    figures = models.JSONField(_("figures of the day"), null=True, blank=True)

    class Meta:
        verbose_name = _("outcome in a scenario")
        verbose_name_plural = _("outcomes in scenarios")
        ordering = ["review_id"]
        constraints = [
            models.UniqueConstraint(fields=["scenario", "review"], name="scenariooutcome_once"),
            models.CheckConstraint(
                name="scenariooutcome_known", condition=Q(outcome__in=["continue", "modify", "later", "stop"])
            ),
            models.CheckConstraint(
                name="scenariooutcome_modified_one_way",
                condition=Q(outcome="modify", share_percent__range=(1, LARGEST_SHARE), yen_by_year__isnull=True)
                | Q(outcome="modify", share_percent__isnull=True, yen_by_year__isnull=False)
                | (~Q(outcome="modify") & Q(share_percent__isnull=True, yen_by_year__isnull=True)),
            ),
        ]
        triggers = [_of_a_draft("review_id")]

    def __str__(self) -> str:
        return f"{self.scenario_id} {self.review_id}: {self.outcome}"


class ScenarioMove(models.Model):
    """Released money that one scenario gives to another project, by hand and with a reason."""

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="moves", verbose_name=_("scenario"))
    source = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="+", verbose_name=_("from"))
    source_year = models.PositiveSmallIntegerField(_("released in fiscal year"))
    target = models.ForeignKey(GateReview, on_delete=models.PROTECT, related_name="+", verbose_name=_("to"))
    target_year = models.PositiveSmallIntegerField(_("given in fiscal year"))
    amount_yen = models.BigIntegerField(_("amount (yen)"), validators=[MinValueValidator(1)])
    reason = models.CharField(_("reason"), max_length=300)

    class Meta:
        verbose_name = _("money moved in a scenario")
        verbose_name_plural = _("money moved in scenarios")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="scenariomove_positive", condition=Q(amount_yen__gt=0)),
            models.CheckConstraint(name="scenariomove_two_projects", condition=~Q(source=F("target"))),
            models.CheckConstraint(name="scenariomove_says_why", condition=~Q(reason="")),
        ]
        triggers = [_of_a_draft("source_id", "target_id")]

    def __str__(self) -> str:
        return f"{self.source_id} > {self.target_id}: {self.amount_yen}"
