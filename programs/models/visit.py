"""Site visits (現地調査) with their memo, and the advice given there or elsewhere, followed up until it is closed."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, SampleMark, User
from common.refs import ref_default
from common.sample import no_sample_on_real, same_sample_mark
from common.states import fsm_trigger
from programs.models.project import Project
from programs.states import ADVICE_MOVES


class SiteVisit(SampleMark):
    """A visit to a project: planned for a day, then described in a memo. A memo shared with the team stands still."""

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("VIS"), editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="site_visits", verbose_name=_("project")
    )
    on = models.DateField(_("day of the visit"))
    place = models.CharField(_("place"), max_length=200)
    participants = models.TextField(_("who took part"), blank=True, default="")
    memo = models.TextField(_("memo"), blank=True, default="")
    #: The day on which the memo was last written: never before the visit.
    memo_on = models.DateField(_("memo written on"), null=True, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    saved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("saved by")
    )
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("entered by"))
    opened_at = models.DateTimeField(_("entered at"))
    shared_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("shared by")
    )
    shared_at = models.DateTimeField(_("shared with the team at"), null=True, blank=True)
    cancelled_because = models.CharField(_("cancelled because"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("site visit")
        verbose_name_plural = _("site visits")
        ordering = ["-on", "-id"]
        indexes = [models.Index(fields=["project", "-on"], name="visit_project_day")]
        constraints = [
            models.CheckConstraint(
                name="visit_memo_not_before_the_visit",
                condition=Q(memo="") | Q(memo_on__isnull=False, memo_on__gte=F("on"), saved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="visit_shared_by_somebody",
                condition=Q(shared_by__isnull=True, shared_at__isnull=True)
                | Q(shared_by__isnull=False, shared_at__isnull=False) & ~Q(memo=""),
            ),
            models.CheckConstraint(name="visit_cancelled_without_memo", condition=Q(cancelled_because="") | Q(memo="")),
        ]
        triggers = [
            same_sample_mark("project_id", "programs_project"),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="shared_stands", operation=pgtrigger.Update, condition=pgtrigger.Q(old__shared_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def is_shared(self) -> bool:
        """Whether the team reads the memo."""
        return self.shared_at is not None

    @property
    def is_cancelled(self) -> bool:
        """Whether it does not take place."""
        return bool(self.cancelled_because)


class Advice(SampleMark):
    """Advice (助言) to be followed up by its owner until a day. What was said never changes; who answers may."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ANSWERED = "answered", _("answered")
        CLOSED = "closed", _("closed")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("ADV"), editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="advice", verbose_name=_("project"))
    visit = models.ForeignKey(
        SiteVisit, null=True, blank=True, on_delete=models.PROTECT, related_name="advice", verbose_name=_("site visit")
    )
    text = models.TextField(_("advice"))
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_("who follows it up"))
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("given by"))
    given_at = models.DateTimeField(_("given at"))
    answer = models.TextField(_("what was done"), blank=True, default="")
    answered_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    closing = models.TextField(_("note on closing"), blank=True, default="")
    closed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("closed by")
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("advice")
        verbose_name_plural = _("pieces of advice")
        ordering = ["due_on", "id"]
        indexes = [
            models.Index(fields=["project", "state"], name="advice_project_state"),
            models.Index(fields=["owner", "due_on"], name="advice_open", condition=~Q(state="closed")),
        ]
        constraints = [
            models.CheckConstraint(name="advice_state_known", condition=Q(state__in=["open", "answered", "closed"])),
            models.CheckConstraint(name="advice_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="advice_answered_whole",
                condition=~Q(state="answered")
                | Q(answered_by__isnull=False, answered_at__isnull=False) & ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="advice_closed_whole",
                condition=~Q(state="closed")
                | Q(closed_by__isnull=False, closed_at__isnull=False) & (~Q(answer="") | ~Q(closing="")),
            ),
        ]
        triggers = [
            fsm_trigger("advice_moves", ADVICE_MOVES),
            same_sample_mark("project_id", "programs_project"),
            no_sample_on_real("project_id", "programs_project", "owner_id", "accounts_person"),
            pgtrigger.ReadOnly(name="said_stands", fields=["project", "visit", "text", "given_by", "given_at"]),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="closed_stands", operation=pgtrigger.Update, condition=pgtrigger.Q(old__state="closed")
            ),
        ]

    def __str__(self) -> str:
        return self.ref
