"""The Celery application; what it does is in `config/settings/tasks.py`. A task logs under the request that sent it."""

import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import before_task_publish, task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("sekisho")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@before_task_publish.connect
def carry_request_id(headers: dict[str, Any], **others: Any) -> None:
    """This function will send the id of the request along with the task."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        headers["sekisho_request_id"] = request_id


@task_prerun.connect
def bind_request_id(task: Any, task_id: str, **others: Any) -> None:
    """This function will let the task's log lines carry the request's id; without one, the task's own."""
    request_id = getattr(task.request, "sekisho_request_id", None) or task_id
    structlog.contextvars.bind_contextvars(request_id=request_id, task=task.name)


@task_postrun.connect
def unbind_request_id(**others: Any) -> None:
    """This function will keep the ids from the next task."""
    structlog.contextvars.unbind_contextvars("request_id", "task")
