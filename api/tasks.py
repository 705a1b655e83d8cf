"""The scheduled job of this door; safe to run twice."""

from celery import shared_task
from django.utils import timezone

from api.idempotency import KEPT_FOR, forget_replies


@shared_task(name="api.forget_replies")
def forget_replies_task() -> int:
    """This function will forget answers that nobody will ask for again."""
    return forget_replies(timezone.now() - KEPT_FOR)
