"""Comments for the project (開示用コメント): written anew from the sheets, released by a second person."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from evaluations.models.case import Case
from evaluations.models.rubric import RubricItem


class Disclosure(models.Model):
    """The comments on one case as the project will read them. Whoever wrote any of them does not release them."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="disclosure", verbose_name=_("case"))
    revision = models.PositiveIntegerField(_("revision"), default=0)
    edited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("last edited by"))
    edited_at = models.DateTimeField(_("last edited at"))
    released_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("released by")
    )
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)

    class Meta:
        verbose_name = _("comments for the project")
        verbose_name_plural = _("comments for projects")
        constraints = [
            models.CheckConstraint(
                name="disclosure_released_by_another",
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("edited_by")),
            ),
            models.CheckConstraint(
                name="disclosure_released_whole",
                condition=Q(released_by__isnull=True, released_at__isnull=True)
                | Q(released_by__isnull=False, released_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="second_person_releases",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.released_at IS NOT NULL THEN
                        RAISE EXCEPTION 'the comments are released'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'disclosure_is_released';
                    END IF;
                    IF NEW.released_by_id IS NOT NULL AND EXISTS (SELECT FROM evaluations_disclosedcomment c
                        WHERE c.disclosure_id = NEW.id AND c.writer_ids @> to_jsonb(NEW.released_by_id)) THEN
                        RAISE EXCEPTION 'whoever wrote a comment does not release it'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'disclosure_second_person';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.case)


class DisclosedComment(models.Model):
    """One comment: on a criterion, or on the whole."""

    disclosure = models.ForeignKey(
        Disclosure, on_delete=models.PROTECT, related_name="comments", verbose_name=_("comments for the project")
    )
    item = models.ForeignKey(
        RubricItem, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("criterion")
    )
    text = models.TextField(_("comment"), blank=True, default="")
    #: Everybody who has written on it, in their order.
    writer_ids = models.JSONField(_("written by"), default=list)

    class Meta:
        verbose_name = _("comment for the project")
        verbose_name_plural = _("comments for the project")
        ordering = ["item__position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["disclosure", "item"], name="disclosedcomment_item", nulls_distinct=False)
        ]
        triggers = [
            pgtrigger.Trigger(
                name="released_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF (SELECT released_at IS NOT NULL FROM evaluations_disclosure
                        WHERE id = COALESCE(NEW.disclosure_id, OLD.disclosure_id)) THEN
                        RAISE EXCEPTION 'the comments are released'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'disclosure_is_released';
                    END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]
