"""The scheduled jobs of evaluations; each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from common.actors import SYSTEM
from evaluations.actions import assignment_runs, dossiers, rounds


@shared_task(name="evaluations.close_due_scores")
def close_due_scores() -> int:
    """This function will close the scores of the rounds whose closing time has come."""
    return rounds.close_due_scores(by=SYSTEM, at=timezone.now())


@shared_task(name="evaluations.render_dossier")
def render_dossier(dossier_id: int) -> None:
    """This function will make the PDF of a sealed dossier, once."""
    dossiers.attach_dossier_pdf(dossier_id, at=timezone.now())


@shared_task(name="evaluations.run_assignment")
def run_assignment(run_id: int) -> None:
    """This function will compute a proposal of who reads what, and write it."""
    assignment_runs.run_assignment(run_id, clock=timezone.now)
