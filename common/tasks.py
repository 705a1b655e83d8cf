"""The scheduled jobs of the common tools; each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from common import files, mail
from common.journal import seal_journal


@shared_task(name="common.send_outgoing_mail")
def send_outgoing_mail() -> int:
    """This function will send what is due in the outbox."""
    return mail.send_queued(at=timezone.now())


@shared_task(name="common.sweep_orphan_files")
def sweep_orphan_files() -> int:
    """This function will remove bytes that no row names."""
    return files.sweep_orphans(at=timezone.now()).removed


@shared_task(name="common.seal_journal")
def seal_journal_task() -> int:
    """This function will chain the journal rows that have no seal yet."""
    return seal_journal()
