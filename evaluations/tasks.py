"""The scheduled jobs of evaluations; each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from common.actors import SYSTEM
from evaluations.actions import assignment_runs, decisions, dossiers, releases, rounds


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


@shared_task(name="evaluations.render_decision")
def render_decision(decision_id: int) -> None:
    """This function will typeset the papers of a decision: its file, and once it is released its letter."""
    decisions.attach_decision_papers(decision_id, at=timezone.now())


@shared_task(name="evaluations.put_due_decisions_in_force")
def put_due_decisions_in_force() -> int:
    """This function will put the decisions in force whose window for objections has closed."""
    return releases.put_due_decisions_in_force(by=SYSTEM, at=timezone.now())
