"""The scheduled job of this door; safe to run twice."""

from celery import shared_task
from django.utils import timezone
from oauth2_provider.models import clear_expired

from api.idempotency import KEPT_FOR, forget_replies


@shared_task(name="api.sweep")
def sweep() -> int:
    """This function will forget answers that nobody asks for again and tokens that have expired; counts the answers."""
    clear_expired()
    return forget_replies(timezone.now() - KEPT_FOR)
