"""The scheduled jobs of evaluations; each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from common.actors import SYSTEM
from evaluations.actions import rounds


@shared_task(name="evaluations.close_due_scores")
def close_due_scores() -> int:
    """This function will close the scores of the rounds whose closing time has come."""
    return rounds.close_due_scores(by=SYSTEM, at=timezone.now())
