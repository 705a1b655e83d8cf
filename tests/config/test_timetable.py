"""The timetable names tasks that exist, and the database is their queue's default."""

from celery import current_app

from config.celery import app


def test_timetable_when_read_then_every_task_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks) == set()


def test_tasks_when_a_worker_dies_then_they_are_kept() -> None:
    assert current_app.conf.task_acks_late
    assert current_app.conf.task_reject_on_worker_lost
    assert current_app.conf.accept_content == ["json"]
    assert current_app.conf.result_backend is None
