"""Background work and its timetable: the queue is the wake-up, the database is the truth, every task may run twice."""

from celery.schedules import crontab

CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_WORKER_PREFETCH_MULTIPLIER = 8
# Remote control and events would need queues of their own, and the application may create none.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Logs go where the web's go, in the same form.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Asia/Tokyo"
# Longer than the longest task, else a task that still runs is handed out again.
BROKER_VISIBILITY_TIMEOUT = 3 * CELERY_TASK_TIME_LIMIT

CELERY_BEAT_SCHEDULE = {
    "send-outgoing-mail": {"task": "common.send_outgoing_mail", "schedule": 60.0},
    "seal-journal": {"task": "common.seal_journal", "schedule": 600.0},
    "close-due-scores": {"task": "evaluations.close_due_scores", "schedule": 60.0},
    "put-due-decisions-in-force": {
        "task": "evaluations.put_due_decisions_in_force",
        "schedule": crontab(hour="0", minute="10"),
    },
    "open-due-reports": {"task": "reporting.open_due_reports", "schedule": crontab(hour="6", minute="0")},
    "send-due-reminders": {"task": "reporting.send_due_reminders", "schedule": crontab(hour="7", minute="0")},
    "sweep-orphan-files": {"task": "common.sweep_orphan_files", "schedule": crontab(hour="3", minute="30")},
    "sweep-api": {"task": "api.sweep", "schedule": crontab(hour="3", minute="45")},
}
