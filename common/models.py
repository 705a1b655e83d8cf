"""Tables without a single grant word: the journal, the outbox, stored files. The actor is plain columns."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class JournalEntry(models.Model):
    """Who did what to which subject, when, and what changed. Append-only in the database; sealed by a job."""

    at = models.DateTimeField(_("time"))
    actor_kind = models.CharField(_("kind of actor"), max_length=16)
    actor_id = models.CharField(_("actor id"), max_length=64)
    actor_label = models.CharField(_("actor"), max_length=200)
    action = models.CharField(_("action"), max_length=80)
    subject_type = models.CharField(_("kind of subject"), max_length=80)
    subject_id = models.BigIntegerField(_("subject id"))
    subject_ref = models.CharField(_("subject"), max_length=120)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    reason = models.TextField(_("reason"), blank=True, default="")
    request_id = models.CharField(_("request id"), max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-at"], name="journal_subject"),
            models.Index(fields=["-at", "-id"], name="journal_newest"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_ref}"


class JournalSeal(models.Model):
    """One link of the chain over the journal: the hash of the entry and of the link before it. One sealer writes."""

    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, verbose_name=_("journal entry"))
    number = models.BigIntegerField(_("number"), unique=True)
    previous_hash = models.CharField(_("hash before"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name = _("journal seal")
        verbose_name_plural = _("journal seals")
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.number}"


class OutgoingMail(models.Model):
    """The outbox: a row in the transaction that caused it, sent after commit; `key` is unique, so once is once."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        HELD = "held", _("kept for the digest")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("no longer needed")

    key = models.CharField(_("key"), max_length=200, unique=True)
    event = models.CharField(_("event"), max_length=60, blank=True, default="")
    template = models.CharField(_("template"), max_length=80)
    language = models.CharField(_("language"), max_length=8, default="ja")
    recipient_id = models.BigIntegerField(_("recipient id"), null=True, blank=True, db_index=True)
    recipient_email = models.EmailField(_("recipient"))
    subject = models.CharField(_("subject line"), max_length=200)
    body = models.TextField(_("text"))
    subject_ref = models.CharField(_("about"), max_length=120, blank=True, default="")
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField(_("queued at"))
    send_after = models.DateTimeField(_("not before"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=300, blank=True, default="")
    message_id = models.CharField(_("Message-ID"), max_length=200)
    digest_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="digested", verbose_name=_("sent within")
    )

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        constraints = [
            models.CheckConstraint(
                name="mail_state_known", condition=Q(state__in=["queued", "held", "sent", "failed", "cancelled"])
            ),
            models.CheckConstraint(
                name="mail_sent_has_time",
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["send_after", "id"], name="mail_queued", condition=Q(state="queued")),
            models.Index(fields=["-queued_at", "-id"], name="mail_newest"),
        ]

    def __str__(self) -> str:
        return self.subject


class StoredFile(models.Model):
    """Bytes kept once under their SHA-256; the name as the person gave it is on the row. Never overwritten."""

    sha256 = models.CharField(_("SHA-256"), max_length=64, db_index=True)
    size = models.BigIntegerField(_("size in bytes"))
    name = models.CharField(_("file name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=100)
    is_sample = models.BooleanField(_("sample"), default=False)
    created_at = models.DateTimeField(_("stored at"))

    class Meta:
        verbose_name = _("stored file")
        verbose_name_plural = _("stored files")

    def __str__(self) -> str:
        return self.name


class IdempotentReply(models.Model):
    """The answer to a machine's POST, kept under (client, key) in the transaction of its effect and replayed."""

    client = models.CharField(_("client"), max_length=100)
    key = models.CharField(_("key"), max_length=100)
    request_hash = models.CharField(_("hash of the request"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"))
    body = models.BinaryField(_("answer"))
    content_type = models.CharField(_("type"), max_length=100)
    created_at = models.DateTimeField(_("answered at"))

    class Meta:
        verbose_name = _("idempotent reply")
        verbose_name_plural = _("idempotent replies")
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="idempotent_reply_once")]

    def __str__(self) -> str:
        return self.key
