"""Assignments: who reads which case, in which role. Proposed by a run or by hand; the chair's confirmation makes it count."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.case import Case
from evaluations.models.panel import PanelMember
from evaluations.states import ASSIGNMENT_MOVES

#: The database's own guard: nobody reads a case of a project from which he or she is recused (unless admitted
#: by two people, with the right to score), or of another panel.
_NO_CONFLICT = """
    IF NEW.state IN ('proposed', 'confirmed') AND (TG_OP = 'INSERT' OR (NEW.state, NEW.case_id, NEW.member_id)
        IS DISTINCT FROM (OLD.state, OLD.case_id, OLD.member_id)) THEN
        IF EXISTS (
            SELECT 1 FROM evaluations_panelmember m, evaluations_case c
            JOIN evaluations_gatereview g ON g.id = c.gate_review_id
            JOIN programs_projectrecusal r ON r.project_id = g.project_id
            WHERE m.id = NEW.member_id AND c.id = NEW.case_id AND r.person_id = m.person_id
                AND r.starts_on <= (now() AT TIME ZONE 'Asia/Tokyo')::date
                AND (r.ends_on IS NULL OR r.ends_on >= (now() AT TIME ZONE 'Asia/Tokyo')::date)
        ) AND NOT EXISTS (
            SELECT 1 FROM evaluations_admission a
            WHERE a.member_id = NEW.member_id AND a.case_id = NEW.case_id AND a.state = 'approved' AND a.may_score
        ) THEN
            RAISE EXCEPTION 'a conflict excludes this reader from the case'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'assignment_without_conflict';
        END IF;
        IF (SELECT panel_id FROM evaluations_panelmember WHERE id = NEW.member_id)
            IS DISTINCT FROM (SELECT panel_id FROM evaluations_case WHERE id = NEW.case_id) THEN
            RAISE EXCEPTION 'reader and case belong to different panels'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'assignment_in_one_panel';
        END IF;
    END IF;
    RETURN NEW;
"""


class Assignment(models.Model):
    """One reader of one case."""

    class Role(models.TextChoices):
        PRIMARY = "primary", _("primary reader")
        SECONDARY = "secondary", _("secondary reader")
        READER = "reader", _("reader")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")
        REPLACED = "replaced", _("replaced")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("ASG"), editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("case"))
    member = models.ForeignKey(
        PanelMember, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("panel member")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.READER)
    is_pinned = models.BooleanField(_("fixed by hand"), default=False)
    affinity = models.DecimalField(_("affinity"), max_digits=5, decimal_places=4, null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED)
    #: Whose place this reader takes; a confirmed one gives it up when this one is confirmed.
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("in place of")
    )
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    made_at = models.DateTimeField(_("proposed at"))
    confirmed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("confirmed by")
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["case_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "member"], condition=Q(state__in=["proposed", "confirmed"]), name="assignment_once"
            ),
            models.CheckConstraint(
                name="assignment_state_known",
                condition=Q(state__in=["proposed", "confirmed", "declined", "replaced"]),
            ),
            models.CheckConstraint(
                name="assignment_confirmed_whole",
                condition=~Q(state="confirmed") | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="assignment_declined_says_why",
                condition=~Q(state="declined") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
            ),
        ]
        indexes = [models.Index(fields=["member", "state"], name="assignment_member_state")]
        triggers = [
            fsm_trigger("assignment_moves", ASSIGNMENT_MOVES),
            pgtrigger.Trigger(
                name="no_conflict",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_NO_CONFLICT,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref
