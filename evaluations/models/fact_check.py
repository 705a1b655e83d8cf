"""Fact checks (事実確認): the factual parts of a draft finding shown to the project with a date, and its answer."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from evaluations.models.finding import Finding


class FactCheck(models.Model):
    """One sending of a draft, with the texts exactly as they were sent. Closed by the answer, or after its day."""

    finding = models.ForeignKey(
        Finding, on_delete=models.PROTECT, related_name="fact_checks", verbose_name=_("finding")
    )
    due_on = models.DateField(_("answer due"))
    overall = models.TextField(_("overall finding"))
    strengths = models.TextField(_("what is rated highly"), blank=True, default="")
    remarks = models.TextField(_("remarks and what to improve"), blank=True, default="")
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("sent by"))
    sent_at = models.DateTimeField(_("sent at"))
    has_no_errors = models.BooleanField(_("no errors"), default=False)
    answered_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("fact check")
        verbose_name_plural = _("fact checks")
        ordering = ["finding_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["finding"], condition=Q(closed_at__isnull=True), name="factcheck_one_open"),
            models.CheckConstraint(
                name="factcheck_answered_whole",
                condition=Q(answered_by__isnull=True, answered_at__isnull=True, has_no_errors=False)
                | Q(answered_by__isnull=False, answered_at__isnull=False, closed_at=F("answered_at")),
            ),
        ]
        triggers = [
            # What was sent and what was answered stays; only the answer comes, once, and the closing.
            pgtrigger.Trigger(
                name="answer_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.closed_at IS NOT NULL
                        OR (to_jsonb(NEW) - '{has_no_errors,answered_by_id,answered_at,closed_at}'::text[])
                        IS DISTINCT FROM (to_jsonb(OLD) - '{has_no_errors,answered_by_id,answered_at,closed_at}'::text[])
                    THEN
                        RAISE EXCEPTION 'a fact check stands as sent and answered'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'factcheck_stands';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.finding} {self.sent_at:%Y-%m-%d}"


class FactCorrection(models.Model):
    """What the project says is wrong in one part; taken over or not, with the reason."""

    class Part(models.TextChoices):
        OVERALL = "overall", _("overall finding")
        STRENGTHS = "strengths", _("what is rated highly")
        REMARKS = "remarks", _("remarks and what to improve")

    class Outcome(models.TextChoices):
        TAKEN = "taken", _("taken over")
        NOT_TAKEN = "not_taken", _("not taken over")

    fact_check = models.ForeignKey(
        FactCheck, on_delete=models.PROTECT, related_name="corrections", verbose_name=_("fact check")
    )
    part = models.CharField(_("part"), max_length=10, choices=Part.choices)
    text = models.TextField(_("correction"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, blank=True, default="")
    reason = models.TextField(_("reason"), blank=True, default="")
    settled_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("settled by")
    )
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("factual correction")
        verbose_name_plural = _("factual corrections")
        ordering = ["fact_check_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["fact_check", "part"], name="factcorrection_part"),
            models.CheckConstraint(
                name="factcorrection_part_known", condition=Q(part__in=["overall", "strengths", "remarks"])
            ),
            models.CheckConstraint(
                name="factcorrection_settled_whole",
                condition=Q(outcome="", settled_by__isnull=True, settled_at__isnull=True)
                | Q(outcome__in=["taken", "not_taken"], settled_by__isnull=False, settled_at__isnull=False)
                & ~Q(reason=""),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="text_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__text__df=pgtrigger.F("new__text")),
                func="""
                    RAISE EXCEPTION 'a correction stands as written'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'factcorrection_stands';
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.text[:60]
