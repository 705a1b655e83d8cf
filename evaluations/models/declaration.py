"""Declarations: what each member says of each case before its documents; admissions and certificates on top of them."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import SecondPerson, User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.case import Case
from evaluations.models.conflict import ConflictOfInterest
from evaluations.models.panel import PanelMember
from evaluations.states import ADMISSION_MOVES


class Declaration(models.Model):
    """What one member declared on one case, and upon which facts. Renewed by another one; nothing is overwritten."""

    class Answer(models.TextChoices):
        NONE = "none", _("no conflict")
        CONFLICT = "conflict", _("conflict")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("DCL"), editable=False)
    member = models.ForeignKey(
        PanelMember, on_delete=models.PROTECT, related_name="declarations", verbose_name=_("panel member")
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="declarations", verbose_name=_("case"))
    answer = models.CharField(_("answer"), max_length=8, choices=Answer.choices)
    kind = models.CharField(_("kind"), max_length=16, choices=ConflictOfInterest.Kind.choices, blank=True, default="")
    text = models.TextField(_("what the conflict is"), blank=True, default="")
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    #: Set where the conflict is recorded for a project; an area's or program's case has none.
    conflict = models.ForeignKey(
        ConflictOfInterest, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("conflict of interest"),
    )  # fmt: skip
    facts = models.JSONField(_("facts it was declared upon"))
    fingerprint = models.CharField(_("fingerprint of the facts"), max_length=32)
    declared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("declared by"))
    declared_at = models.DateTimeField(_("declared at"))
    replaced_at = models.DateTimeField(_("replaced at"), null=True, blank=True)

    class Meta:
        verbose_name = _("declaration")
        verbose_name_plural = _("declarations")
        ordering = ["case_id", "member_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "case"], condition=Q(replaced_at__isnull=True), name="declaration_one_live"
            ),
            models.CheckConstraint(
                name="declaration_whole",
                condition=Q(answer="none", kind="", text="", conflict__isnull=True)
                | (Q(answer="conflict") & ~Q(kind="") & ~Q(text="")),
            ),
            models.CheckConstraint(
                name="declaration_dates_in_order",
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
        ]
        triggers = [
            # Of a declaration only the moment at which another one took its place is still written, once.
            pgtrigger.Trigger(
                name="declaration_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.replaced_at IS NOT NULL
                        OR (to_jsonb(NEW) - 'replaced_at') IS DISTINCT FROM (to_jsonb(OLD) - 'replaced_at') THEN
                        RAISE EXCEPTION 'a declaration stands: it is renewed by another one'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'declaration_stands';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Nobody declares for another person.
            pgtrigger.Trigger(
                name="declared_in_person",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF (SELECT person_id FROM accounts_user WHERE id = NEW.declared_by_id) IS DISTINCT FROM
                        (SELECT person_id FROM evaluations_panelmember WHERE id = NEW.member_id) THEN
                        RAISE EXCEPTION 'a conflict is declared in person'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'declared_in_person';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref


class Admission(SecondPerson):
    """An interested member admitted to one case all the same: proposed by one, approved by another, reason published."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        ENDED = "ended", _("ended")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("ADM"), editable=False)
    conflict = models.ForeignKey(
        ConflictOfInterest, on_delete=models.PROTECT, related_name="admissions", verbose_name=_("conflict of interest")
    )
    member = models.ForeignKey(
        PanelMember, on_delete=models.PROTECT, related_name="admissions", verbose_name=_("panel member")
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="admissions", verbose_name=_("case"))
    reason = models.TextField(_("reason (published)"))
    may_score = models.BooleanField(_("may score as well"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_at = models.DateTimeField(_("proposed at"))
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_reason = models.TextField(_("why it ended"), blank=True, default="")

    class Meta(SecondPerson.Meta):
        verbose_name = _("admission")
        verbose_name_plural = _("admissions")
        ordering = ["case_id", "id"]
        constraints = [
            *SecondPerson.Meta.constraints,
            models.UniqueConstraint(fields=["conflict", "case"], condition=~Q(state="ended"), name="admission_once"),
            models.CheckConstraint(
                name="admission_state_known", condition=Q(state__in=["proposed", "approved", "ended"])
            ),
            models.CheckConstraint(
                name="admission_approved_whole",
                condition=~Q(state="approved") | Q(approved_by__isnull=False, approved_at__isnull=False),
            ),
            models.CheckConstraint(name="admission_says_why", condition=~Q(reason="")),
        ]
        triggers = [
            fsm_trigger("admission_moves", ADMISSION_MOVES),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref


class ConflictCertificate(models.Model):
    """What a member signed after the meeting: in which cases without a conflict, from which cases out of the room."""

    member = models.OneToOneField(
        PanelMember, on_delete=models.PROTECT, related_name="certificate", verbose_name=_("panel member")
    )
    statement = models.TextField(_("statement"))
    cases = models.JSONField(_("cases"))
    content_hash = models.CharField(_("content hash"), max_length=64)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("signed by"))
    signed_at = models.DateTimeField(_("signed at"))

    class Meta:
        verbose_name = _("certificate on conflicts")
        verbose_name_plural = _("certificates on conflicts")
        ordering = ["member_id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.member} {self.signed_at:%Y-%m-%d}"
