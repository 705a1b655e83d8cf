"""Written questions before the hearing (事前質問): asked by the panel, sent without names, answered by the team."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from evaluations.models.case import Case
from evaluations.models.panel import PanelMember


class Question(models.Model):
    """One question. The secretariat bundles them: sent with a number and in words that name nobody, or left out."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="questions", verbose_name=_("case"))
    member = models.ForeignKey(PanelMember, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by"))
    text = models.TextField(_("question"))
    asked_at = models.DateTimeField(_("asked at"))
    #: As the team reads it.
    sent_text = models.TextField(_("question as sent"), blank=True, default="")
    position = models.PositiveSmallIntegerField(_("number"), null=True, blank=True)
    sent_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("sent by")
    )
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    left_out_reason = models.TextField(_("why it was left out"), blank=True, default="")

    class Meta:
        verbose_name = _("written question")
        verbose_name_plural = _("written questions")
        ordering = ["case_id", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "position"], name="question_position"),
            models.CheckConstraint(
                name="question_sent_whole",
                condition=Q(sent_at__isnull=True, sent_by__isnull=True, position__isnull=True, sent_text="")
                | Q(sent_at__isnull=False, sent_by__isnull=False, position__isnull=False, left_out_reason="")
                & ~Q(sent_text=""),
            ),
        ]
        indexes = [models.Index(fields=["case", "sent_at"], name="question_case_sent")]
        triggers = [
            pgtrigger.Trigger(
                name="sent_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__sent_at__isnull=False),
                func="""
                    RAISE EXCEPTION 'a question stands as sent'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'question_stands';
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class Answer(models.Model):
    """The team's answer: saved while it is written, until the day it is due or until all are handed in."""

    question = models.OneToOneField(
        Question, on_delete=models.PROTECT, related_name="answer", verbose_name=_("written question")
    )
    text = models.TextField(_("answer"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    saved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("saved by")
    )
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)
    handed_in_at = models.DateTimeField(_("handed in at"), null=True, blank=True)

    class Meta:
        verbose_name = _("answer to a written question")
        verbose_name_plural = _("answers to written questions")
        ordering = ["question_id"]
        triggers = [
            pgtrigger.Trigger(
                name="answer_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__handed_in_at__isnull=False),
                func="""
                    RAISE EXCEPTION 'an answer stands as handed in'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'answer_stands';
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.text[:60]
