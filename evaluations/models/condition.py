"""What a decision asks for afterwards: conditions, tracked until they are met; the wind-down of a project that ends."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.decision import GateDecision
from evaluations.states import CONDITION_MOVES


def _as_decided(*later: str) -> pgtrigger.Trigger:
    """What is asked for stands with the decision; only how it was met may still be written."""
    kept = "'{" + ",".join(later) + "}'::text[]"
    return pgtrigger.Trigger(
        name="stands_as_decided",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        declare=[("decision_state", "text"), ("touched", "bigint")],
        func=f"""
            IF TG_OP = 'DELETE' THEN touched := OLD.decision_id; ELSE touched := NEW.decision_id; END IF;
            SELECT state INTO decision_state FROM evaluations_gatedecision WHERE id = touched;
            IF decision_state <> 'drafted' AND (
                TG_OP <> 'UPDATE' OR (to_jsonb(NEW) - {kept}) IS DISTINCT FROM (to_jsonb(OLD) - {kept})
            ) THEN
                RAISE EXCEPTION 'the decision is taken: what it asks for stands'
                    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_as_decided';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
        """,
    )


class Owed(models.Model):
    """One thing asked for: what, by when, of whom."""

    class Owner(models.TextChoices):
        TEAM = "team", _("the project's team")
        OFFICE = "office", _("the lead institution's office")
        OFFICER = "officer", _("the program officer")
        STAFF = "staff", _("the ministry's staff")

    number = models.PositiveSmallIntegerField(_("number"))
    text = models.TextField(_("text"))
    owner = models.CharField(_("who owes it"), max_length=8, choices=Owner.choices, default=Owner.TEAM)
    due_on = models.DateField(_("due on"))

    class Meta:
        abstract = True
        ordering: ClassVar = ["decision_id", "number"]

    def __str__(self) -> str:
        return self.text[:60]


class Condition(Owed):
    """A condition of a decision (条件): the team reports, the program officer finds it met or not."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        REPORTED = "reported", _("reported, to be confirmed")
        MET = "met", _("met")
        NOT_MET = "not_met", _("not met")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("CND"), editable=False)
    decision = models.ForeignKey(
        GateDecision, on_delete=models.PROTECT, related_name="conditions", verbose_name=_("decision")
    )
    is_public = models.BooleanField(_("published"), default=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    report = models.TextField(_("report"), blank=True, default="")
    reported_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("reported by")
    )
    reported_at = models.DateTimeField(_("reported at"), null=True, blank=True)
    settled_note = models.TextField(_("what the program officer found"), blank=True, default="")
    settled_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("found by")
    )
    settled_at = models.DateTimeField(_("found at"), null=True, blank=True)

    class Meta(Owed.Meta):
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["decision", "number"], name="condition_number_once"),
            models.CheckConstraint(
                name="condition_state_known", condition=Q(state__in=["open", "reported", "met", "not_met"])
            ),
            models.CheckConstraint(
                name="condition_reported_whole",
                condition=Q(state="open") | Q(reported_by__isnull=False, reported_at__isnull=False) & ~Q(report=""),
            ),
            models.CheckConstraint(
                name="condition_settled_by_another",
                condition=Q(settled_by__isnull=True) | ~Q(settled_by=F("reported_by")),
            ),
        ]
        triggers: ClassVar = [
            fsm_trigger("condition_moves", CONDITION_MOVES),
            _as_decided(
                "state", "report", "reported_by_id", "reported_at", "settled_note", "settled_by_id", "settled_at"
            ),
        ]  # fmt: skip


class WindDownItem(Owed):
    """One thing to do before a project that ends is closed (終了手続)."""

    class Kind(models.TextChoices):
        END = "end", _("end of the work")
        ASSETS = "assets", _("assets and equipment")
        DATA = "data", _("data hand-over")
        PEOPLE = "people", _("people")
        MONEY = "money", _("released money")

    decision = models.ForeignKey(
        GateDecision, on_delete=models.PROTECT, related_name="wind_down", verbose_name=_("decision")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    released_yen = models.BigIntegerField(_("released (yen)"), null=True, blank=True, validators=[MinValueValidator(0)])
    done_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("done by")
    )
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_note = models.TextField(_("how it was done"), blank=True, default="")

    class Meta(Owed.Meta):
        verbose_name = _("step of the wind-down")
        verbose_name_plural = _("steps of the wind-down")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["decision", "number"], name="winddown_number_once"),
            models.CheckConstraint(
                name="winddown_kind_known", condition=Q(kind__in=["end", "assets", "data", "people", "money"])
            ),
            models.CheckConstraint(
                name="winddown_done_whole",
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
            ),
        ]
        triggers: ClassVar = [_as_decided("done_by_id", "done_at", "done_note")]
