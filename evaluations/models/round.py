"""Rounds of evaluation: kind, subject, calendar, what is asked for, and who runs it. Nothing per program in code."""

import pgtrigger
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, SampleMark, Tenure, User
from common.refs import ref_default
from common.sample import no_sample_on_real, same_sample_mark
from common.states import fsm_trigger
from evaluations.models.rubric import Rubric
from evaluations.states import ROUND_MOVES
from programs.models import Program, ResearchArea, StageGate


class Round(BilingualName, SampleMark):
    """One round (評価ラウンド). All of its days are computed back from the decision and may be changed by hand."""

    class Kind(models.TextChoices):
        EX_ANTE = "ex_ante", _("ex-ante evaluation")
        MID_TERM = "mid_term", _("mid-term evaluation")
        STAGE_GATE = "stage_gate", _("stage-gate review")
        EX_POST = "ex_post", _("ex-post evaluation")
        FOLLOW_UP = "follow_up", _("follow-up evaluation")

    class Subject(models.TextChoices):
        PROJECT = "project", _("projects")
        AREA = "area", _("research areas")
        PROGRAM = "program", _("the program")

    class ChairSource(models.TextChoices):
        INDEPENDENT = "independent", _("independent chair")
        PROGRAM_DIRECTOR = "program_director", _("program director in the chair")
        GOVERNING_BOARD = "governing_board", _("Governing Board")

    class State(models.TextChoices):
        DRAFTING = "drafting", _("in preparation")
        OPEN = "open", _("running")
        FIRST_CLOSED = "first_closed", _("first scores closed")
        FINAL_CLOSED = "final_closed", _("scores closed")
        CLOSED = "closed", _("closed")
        INVALIDATED = "invalidated", _("invalidated")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("RND"), editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    subject = models.CharField(_("subject"), max_length=8, choices=Subject.choices, default=Subject.PROJECT)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", verbose_name=_("program"))
    area = models.ForeignKey(
        ResearchArea, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("research area")
    )
    gate = models.ForeignKey(
        StageGate, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("stage gate")
    )
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    chair_source = models.CharField(
        _("chair"), max_length=16, choices=ChairSource.choices, default=ChairSource.INDEPENDENT
    )
    rubric = models.OneToOneField(
        Rubric, null=True, blank=True, on_delete=models.PROTECT, related_name="round", verbose_name=_("rubric")
    )
    readers_per_case = models.PositiveSmallIntegerField(
        _("readers per case"), default=3, validators=[MinValueValidator(1)]
    )
    cases_per_reader_min = models.PositiveSmallIntegerField(_("cases per reader, at least"), default=0)
    cases_per_reader_max = models.PositiveSmallIntegerField(_("cases per reader, at most"), default=8)
    quorum = models.PositiveSmallIntegerField(_("quorum"), default=3, validators=[MinValueValidator(1)])
    # The calendar, in the order of the steps.
    calls_on = models.DateField(_("call for dossiers"), null=True, blank=True)
    declarations_due_on = models.DateField(_("declarations due"), null=True, blank=True)
    dossier_due_on = models.DateField(_("dossiers due"), null=True, blank=True)
    seals_on = models.DateField(_("dossiers sealed by"), null=True, blank=True)
    first_close_at = models.DateTimeField(_("first scores close"), null=True, blank=True)
    questions_due_on = models.DateField(_("questions due"), null=True, blank=True)
    answers_due_on = models.DateField(_("answers due"), null=True, blank=True)
    hearing_on = models.DateField(_("hearing"), null=True, blank=True)
    final_close_at = models.DateTimeField(_("scores close"), null=True, blank=True)
    finding_due_on = models.DateField(_("findings due"), null=True, blank=True)
    fact_check_due_on = models.DateField(_("fact check due"), null=True, blank=True)
    decision_due_on = models.DateField(_("decision"), null=True, blank=True)
    roster_release_on = models.DateField(_("roster published"), null=True, blank=True)
    objection_days = models.PositiveSmallIntegerField(_("days for objections"), default=14)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.DRAFTING)
    cloned_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("cloned from")
    )
    revision = models.PositiveIntegerField(_("revision"), default=0)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"))
    opened_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by")
    )
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    first_closed_at = models.DateTimeField(_("first scores closed at"), null=True, blank=True)
    final_closed_at = models.DateTimeField(_("scores closed at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    invalidated_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("evaluation round")
        verbose_name_plural = _("evaluation rounds")
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="round_kind_known",
                condition=Q(kind__in=["ex_ante", "mid_term", "stage_gate", "ex_post", "follow_up"]),
            ),
            models.CheckConstraint(
                name="round_state_known",
                condition=Q(state__in=["drafting", "open", "first_closed", "final_closed", "closed", "invalidated"]),
            ),
            models.CheckConstraint(
                name="round_open_whole",
                condition=Q(state="drafting", opened_by__isnull=True, opened_at__isnull=True)
                | (
                    ~Q(state="drafting")
                    & Q(opened_by__isnull=False, opened_at__isnull=False, rubric__isnull=False)
                    & Q(first_close_at__isnull=False, final_close_at__isnull=False, decision_due_on__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="round_scores_in_order",
                condition=Q(first_close_at__isnull=True)
                | Q(final_close_at__isnull=True)
                | Q(first_close_at__lt=F("final_close_at")),
            ),
            models.CheckConstraint(
                name="round_loads_in_order", condition=Q(cases_per_reader_min__lte=F("cases_per_reader_max"))
            ),
            models.CheckConstraint(
                name="round_invalidated_says_why", condition=~Q(state="invalidated") | ~Q(invalidated_reason="")
            ),
        ]
        indexes = [models.Index(fields=["program", "state"], name="round_program_state")]
        triggers = [fsm_trigger("round_moves", ROUND_MOVES), same_sample_mark("program_id", "programs_program")]


class RoundDocument(BilingualName):
    """A document that a round asks of every subject; optional ones are shown as such."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="documents", verbose_name=_("round"))
    position = models.PositiveSmallIntegerField(_("position"))
    is_required = models.BooleanField(_("required"), default=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("document asked for")
        verbose_name_plural = _("documents asked for")
        ordering = ["position", "id"]


class RoundSecretary(Tenure):
    """Who runs a round: papers, chasing, minutes, the draft of the finding. Never scores, recommends or decides."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="secretaries", verbose_name=_("round"))

    class Meta(Tenure.Meta):
        verbose_name = _("evaluation secretariat")
        verbose_name_plural = _("evaluation secretariats")
        constraints = [
            *Tenure.Meta.constraints,
            models.UniqueConstraint(fields=["round", "person"], name="roundsecretary_once"),
        ]
        triggers = [
            no_sample_on_real("round_id", "evaluations_round", "person_id", "accounts_person"),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]
