"""Schedules and reminder rules are data."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from programs.models import Program, Project


class ReportKind(models.TextChoices):
    """Kinds of report (domain: ProgressReport)."""

    INTERIM = "interim", _("interim report")
    ANNUAL = "annual", _("annual report")
    YEAR_END = "year_end", _("year-end report")
    FINAL = "final", _("final report")
    FOLLOW_UP = "follow_up", _("follow-up report")


class BusinessDayShift(models.TextChoices):
    """What happens to a date that is no business day in Japan."""

    NONE = "none", _("leave as it is")
    BEFORE = "before", _("the business day before")
    AFTER = "after", _("the next business day")


class ReportSchedule(models.Model):
    """Which report a program asks for, when it opens and when it is due, counted from the end of the fiscal year."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="report_schedules", verbose_name=_("program")
    )
    kind = models.CharField(_("kind of report"), max_length=12, choices=ReportKind.choices)
    project_kind = models.CharField(
        _("kind of project"), max_length=16, choices=Project.Kind.choices, blank=True, default="",
        help_text=_("Blank: every kind."),
    )  # fmt: skip
    opens_month = models.PositiveSmallIntegerField(
        _("opens in month"), validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    opens_day = models.PositiveSmallIntegerField(
        _("opens on day"), validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    due_month = models.PositiveSmallIntegerField(
        _("due in month"), validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    due_day = models.PositiveSmallIntegerField(
        _("due on day"), validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("31 means the last day of the month."),
    )  # fmt: skip
    years_after = models.PositiveSmallIntegerField(
        _("calendar years after the fiscal year's first"), default=1, validators=[MaxValueValidator(5)]
    )
    shift = models.CharField(
        _("when not a business day"), max_length=8, choices=BusinessDayShift.choices,
        default=BusinessDayShift.AFTER,
    )  # fmt: skip
    first_fiscal_year = models.PositiveSmallIntegerField(_("first fiscal year"))
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("report schedule")
        verbose_name_plural = _("report schedules")
        constraints = [
            models.UniqueConstraint(fields=["program", "kind", "project_kind"], name="report_schedule_once"),
            models.CheckConstraint(
                name="report_schedule_dates",
                condition=Q(opens_month__range=(1, 12), due_month__range=(1, 12))
                & Q(opens_day__range=(1, 31), due_day__range=(1, 31)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program} {self.get_kind_display()}"


class ReminderRule(models.Model):
    """Who is told how many days before (negative) or after (positive) an event's date."""

    class Event(models.TextChoices):
        REPORT_DUE = "report_due", _("report due")
        DOSSIER_DUE = "dossier_due", _("dossier due, to write or to confirm")
        DECLARATION_DUE = "declaration_due", _("declaration of conflicts due")
        SHEET_DUE = "sheet_due", _("score sheet due")
        FINDING_DUE = "finding_due", _("finding due")
        FACT_CHECK_DUE = "fact_check_due", _("fact check due")
        DECISION_DUE = "decision_due", _("decision due")
        CONDITION_DUE = "condition_due", _("condition of a gate due")

    class Audience(models.TextChoices):
        TEAM = "team", _("the project's team")
        OFFICER = "officer", _("program officer")
        DIRECTOR = "director", _("program director")
        OWING = "owing", _("whoever owes it")

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="reminder_rules", verbose_name=_("program")
    )
    event = models.CharField(_("event"), max_length=16, choices=Event.choices)
    offsets = ArrayField(
        models.SmallIntegerField(),
        verbose_name=_("days from the date"),
        help_text=_("Negative: days before. Example: -14, -3, 0, 3"),
    )
    audience = models.CharField(_("audience"), max_length=12, choices=Audience.choices)
    shift = models.CharField(
        _("when not a business day"), max_length=8, choices=BusinessDayShift.choices,
        default=BusinessDayShift.BEFORE,
    )  # fmt: skip
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("reminder rule")
        verbose_name_plural = _("reminder rules")
        constraints = [
            models.UniqueConstraint(fields=["program", "event", "audience"], name="reminder_rule_once"),
            models.CheckConstraint(name="reminder_rule_has_offsets", condition=~Q(offsets=[])),
            models.CheckConstraint(
                name="reminder_rule_audience",
                condition=Q(event="report_due") & ~Q(audience="owing") | ~Q(event="report_due") & Q(audience="owing"),
                violation_error_message=_(
                    "Choose the team, the officer or the director for reports, and whoever owes it for everything else."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} {self.offsets}"
