"""The Celery application and its timetable; every task is safe to run twice."""

import os

from celery import Celery
from celery.schedules import crontab
from django.conf import settings
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("sekisho")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
if settings.CELERY_BROKER_URL.startswith("pgmq"):
    # The migrations made the queue as its owner; the application may create none and sends to it by name.
    app.conf.task_queues = [Queue("celery", Exchange(""), routing_key="celery", no_declare=True)]
    app.conf.task_default_exchange = ""
    app.conf.task_default_routing_key = "celery"
app.conf.beat_schedule = {
    "send-outgoing-mail": {"task": "common.send_outgoing_mail", "schedule": 60.0},
    "seal-journal": {"task": "common.seal_journal", "schedule": 600.0},
    "open-due-reports": {"task": "reporting.open_due_reports", "schedule": crontab(hour="6", minute="0")},
    "send-due-reminders": {"task": "reporting.send_due_reminders", "schedule": crontab(hour="7", minute="0")},
    "sweep-orphan-files": {"task": "common.sweep_orphan_files", "schedule": crontab(hour="3", minute="30")},
}
