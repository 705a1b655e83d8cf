"""Tests: real PostgreSQL as the owner of a database of their own, no broker, mails kept in the process."""

import atexit
import shutil
import tempfile

from config import postgres
from config.settings.base import *  # noqa: F403
from config.settings.environment import database, optional

APP_ENVIRONMENT = "test"
DEBUG = False
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

_url = optional("DATABASE_OWNER_URL")
if not _url:
    _cluster = postgres.ensure_running()
    POSTGRES_PROGRAMS = str(_cluster.binaries)
    _url = _cluster.url(postgres.OWNER)
DATABASE_OWNER = database(_url)
DATABASES = {"default": {**DATABASE_OWNER, "TEST": {"NAME": optional("SEKISHO_TEST_DB", "test_sekisho")}}}

_scratch = tempfile.mkdtemp(prefix="sekisho-test-")
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": _scratch}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_USE_FINDERS = True
# Found when asked for: every test client would else look at all static files first.
WHITENOISE_AUTOREFRESH = True
CELERY_BROKER_URL = "memory://"
