"""The timetable names tasks that exist; a task is kept when its worker dies, and logs under the request that sent it."""

from typing import Any

import structlog
from celery import current_app

from config.celery import app, bind_request_id, carry_request_id, unbind_request_id


def test_timetable_when_read_then_every_task_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks) == set()


def test_tasks_when_a_worker_dies_then_they_are_kept() -> None:
    assert current_app.conf.task_acks_late
    assert current_app.conf.task_reject_on_worker_lost
    assert current_app.conf.accept_content == ["json"]
    assert current_app.conf.result_backend is None


def test_task_when_sent_from_a_request_then_it_logs_under_its_id() -> None:
    headers: dict[str, Any] = {}
    with structlog.contextvars.bound_contextvars(request_id="abc-12345678"):
        carry_request_id(headers=headers)
    task = app.tasks["common.seal_journal"]
    task.push_request(**headers)
    try:
        bind_request_id(task=task, task_id="1")
        assert structlog.contextvars.get_contextvars() == {"request_id": "abc-12345678", "task": "common.seal_journal"}
        unbind_request_id()
        assert structlog.contextvars.get_contextvars() == {}
    finally:
        task.pop_request()
