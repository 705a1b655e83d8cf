"""Meetings of a round: document review, hearing, panel; their agenda, the item that is running, notes by item."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import SampleMark, User
from common.refs import ref_default
from common.sample import same_sample_mark
from evaluations.models.case import Case
from evaluations.models.round import Round


class Meeting(SampleMark):
    """One day on which the panel sits."""

    class Kind(models.TextChoices):
        DOCUMENT_REVIEW = "document_review", _("document review")
        HEARING = "hearing", _("hearing")
        PANEL = "panel", _("panel discussion")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("MTG"), editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="meetings", verbose_name=_("round"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    held_on = models.DateField(_("day"))
    place = models.CharField(_("place, or online"), max_length=200)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        ordering = ["held_on", "id"]
        constraints = [
            models.CheckConstraint(
                name="meeting_kind_known", condition=Q(kind__in=["document_review", "hearing", "panel"])
            ),
        ]
        triggers = [
            same_sample_mark("round_id", "evaluations_round"),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref


class MeetingItem(models.Model):
    """One item of the agenda: a case, or something plain. It runs from `began_at` to `ended_at`; one at a time."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="items", verbose_name=_("meeting"))
    position = models.PositiveSmallIntegerField(_("number"))
    starts_at = models.TimeField(_("from"))
    minutes = models.PositiveSmallIntegerField(_("minutes"))
    case = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("case")
    )
    title = models.CharField(_("title"), max_length=200, blank=True, default="")
    began_at = models.DateTimeField(_("began at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    notes = models.TextField(_("notes"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    noted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("noted by")
    )
    noted_at = models.DateTimeField(_("noted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("item of the agenda")
        verbose_name_plural = _("items of the agenda")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["meeting"], condition=Q(began_at__isnull=False, ended_at__isnull=True),
                name="meetingitem_one_running",
            ),
            models.CheckConstraint(
                name="meetingitem_case_or_title",
                condition=Q(case__isnull=False, title="") | Q(case__isnull=True) & ~Q(title=""),
            ),
            models.CheckConstraint(
                name="meetingitem_ends_after_it_began", condition=Q(ended_at__isnull=True) | Q(began_at__isnull=False)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title or str(self.case)
