"""Development and `make run`: embedded PostgreSQL, mails into `var/mail/`, files into `var/files/`."""

import hashlib
import sys

from config import postgres
from config.settings.base import *  # noqa: F403
from config.settings.base import BROKER_VISIBILITY_TIMEOUT, STORAGES, VAR_DIR
from config.settings.environment import broker, database, optional

DEBUG = optional("DEBUG", "0") == "1"
SECRET_KEY = optional("SECRET_KEY", hashlib.sha256(str(VAR_DIR).encode()).hexdigest())
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
VAR_DIR.mkdir(exist_ok=True)

_url = optional("DATABASE_URL")
_owner_url = optional("DATABASE_OWNER_URL", _url)
if not _url:
    _cluster = postgres.ensure_running()
    POSTGRES_PROGRAMS = str(_cluster.binaries)
    _url, _owner_url = _cluster.url(postgres.APP), _cluster.url(postgres.OWNER)

# Commands that change the schema or write it down act as the owner; everything else as the role that owns nothing.
OWNER_COMMANDS = {"migrate", "makemigrations", "pgtrigger", "dbshell", "flush"}
DATABASE_OWNER = database(_owner_url)
_as_owner = len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS
DATABASES = {"default": {**(DATABASE_OWNER if _as_owner else database(_url))}}
DATABASES["default"]["OPTIONS"] = {**DATABASES["default"]["OPTIONS"], "pool": {"min_size": 1, "max_size": 12}}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

globals().update(broker(optional("BROKER_URL"), DATABASES["default"], BROKER_VISIBILITY_TIMEOUT))

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
