"""The Celery application; what it does is in `config/settings/tasks.py`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("sekisho")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
