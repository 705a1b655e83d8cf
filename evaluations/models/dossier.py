"""Dossiers (評価資料一式): what the team writes beside what the system knows; sealed with a hash, then never changed."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, User
from common.models import StoredFile
from evaluations.models.gate_review import GateReview
from evaluations.models.round import RoundDocument

_SEALED = """
    IF {sealed} THEN
        RAISE EXCEPTION 'the dossier is sealed' USING ERRCODE = 'check_violation', CONSTRAINT = 'dossier_is_sealed';
    END IF;
    RETURN COALESCE(NEW, OLD);
"""


def _stands(dossier: str) -> pgtrigger.Trigger:
    """Nothing inside a sealed dossier is written, added or taken away."""
    return pgtrigger.Trigger(
        name="dossier_stands",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=_SEALED.format(sealed=f"(SELECT sealed_at IS NOT NULL FROM evaluations_dossier WHERE id = {dossier})"),
    )


class Dossier(models.Model):
    """The dossier of one gate review. Its state is the review's: called, submitted, sealed."""

    gate_review = models.OneToOneField(
        GateReview, on_delete=models.PROTECT, related_name="dossier", verbose_name=_("gate review")
    )
    submitted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("submitted by")
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    returned_note = models.TextField(_("why it came back"), blank=True, default="")
    sealed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("sealed by")
    )
    sealed_at = models.DateTimeField(_("sealed at"), null=True, blank=True)
    content = models.JSONField(_("content"), null=True, blank=True)
    content_hash = models.CharField(_("content hash"), max_length=64, blank=True, default="")
    pdf = models.ForeignKey(
        StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("PDF")
    )

    class Meta:
        verbose_name = _("dossier")
        verbose_name_plural = _("dossiers")
        constraints = [
            models.CheckConstraint(
                name="dossier_sealed_whole",
                condition=Q(sealed_at__isnull=True, sealed_by__isnull=True, content__isnull=True, content_hash="")
                | (
                    Q(sealed_at__isnull=False, sealed_by__isnull=False, content__isnull=False)
                    & ~Q(content_hash="")
                    & Q(submitted_by__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="dossier_sealed_by_another",
                condition=Q(sealed_by__isnull=True) | ~Q(sealed_by=F("submitted_by")),
            ),
        ]
        triggers = [
            # Of a sealed dossier only its typeset PDF may still come, once.
            pgtrigger.Trigger(
                name="dossier_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__sealed_at__isnull=False),
                func="""
                    IF OLD.pdf_id IS NOT NULL AND NEW.pdf_id IS DISTINCT FROM OLD.pdf_id
                        OR (to_jsonb(NEW) - 'pdf_id') IS DISTINCT FROM (to_jsonb(OLD) - 'pdf_id') THEN
                        RAISE EXCEPTION 'the dossier is sealed'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'dossier_is_sealed';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.gate_review)


class DossierSection(BilingualName):
    """One section of the self-assessment (自己評価), written by the team."""

    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="sections", verbose_name=_("dossier"))
    code = models.SlugField(_("code"), max_length=24)
    position = models.PositiveSmallIntegerField(_("position"))
    longest = models.PositiveIntegerField(_("characters at most"))
    text = models.TextField(_("text"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    saved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("saved by")
    )
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)

    class Meta:
        verbose_name = _("section of the dossier")
        verbose_name_plural = _("sections of the dossier")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["dossier", "code"], name="dossiersection_code")]
        triggers = [_stands("COALESCE(NEW.dossier_id, OLD.dossier_id)")]


class DossierDocument(models.Model):
    """A file that the team adds, for one of the documents the round asks for."""

    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="documents", verbose_name=_("dossier"))
    document = models.ForeignKey(
        RoundDocument, on_delete=models.PROTECT, related_name="+", verbose_name=_("document asked for")
    )
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    added_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("file of the dossier")
        verbose_name_plural = _("files of the dossier")
        ordering = ["document__position", "id"]
        triggers = [_stands("COALESCE(NEW.dossier_id, OLD.dossier_id)")]

    def __str__(self) -> str:
        return self.file.name


class Addendum(models.Model):
    """A later fact, dated, beside the sealed dossier and never inside it."""

    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="addenda", verbose_name=_("dossier"))
    text = models.TextField(_("text"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("addendum")
        verbose_name_plural = _("addenda")
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.text[:60]
