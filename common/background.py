"""Background work by task name; the database is the truth, the task queue is only the wake-up."""

from functools import partial

from celery import current_app
from django.db import transaction


def run_later(task: str, **kwargs: int | str) -> None:
    """This function will send the task `app.name` after commit; arguments are ids and short strings only."""
    transaction.on_commit(partial(current_app.send_task, task, kwargs=kwargs), robust=True)
