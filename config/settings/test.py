"""Tests: real PostgreSQL as the owner of a database of their own, no broker, mails kept in the process."""

import tempfile
from pathlib import Path

from config import postgres
from config.settings.base import *  # noqa: F403
from config.settings.base import STORAGES
from config.settings.environment import database, optional

APP_ENVIRONMENT = "test"
DEBUG = False
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

_url = optional("DATABASE_OWNER_URL") or postgres.ensure_running().url(postgres.OWNER)
DATABASES = {"default": {**database(_url), "TEST": {"NAME": optional("SEKISHO_TEST_DB", "test_sekisho")}}}

_scratch = Path(tempfile.mkdtemp(prefix="sekisho-test-"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(_scratch)}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_USE_FINDERS = True
CELERY_BROKER_URL = "memory://"
