"""Production: every part named by the environment; a missing variable stops the start and says what to set."""

from django.core.exceptions import ImproperlyConfigured

from config import logs
from config.settings.base import *  # noqa: F403
from config.settings.base import BROKER_VISIBILITY_TIMEOUT
from config.settings.environment import broker, database, mail, optional, required, storage

APP_ENVIRONMENT = "production"
DEBUG = False

SECRET_KEY = required("SECRET_KEY", "a random text of at least 50 characters")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is too short: set it to a random text of at least 50 characters.")
SITE_URL = required("SITE_URL", "the portal's address, such as https://sekisho.example.go.jp")
if not SITE_URL.startswith("https://"):
    raise ImproperlyConfigured("SITE_URL must begin with https:// in production.")
ALLOWED_HOSTS = [SITE_URL.removeprefix("https://").split("/")[0].split(":")[0]]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CONTACT_EMAIL = required("CONTACT_EMAIL", "the address that people write to with questions")

_app = database(required("DATABASE_URL", "postgresql://user:password@host:5432/name of the application's role"))
DATABASE_OWNER = database(optional("DATABASE_OWNER_URL") or required("DATABASE_URL", "the database"))
DATABASES = {
    "default": {
        **_app,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_app["OPTIONS"], "pool": {"min_size": 2, "max_size": int(optional("DATABASE_POOL", "10"))}},
    }
}
if optional("SEKISHO_ACT_AS_OWNER") == "1":
    # For `migrate` only: the role that owns the tables.
    DATABASES["default"] = {**DATABASE_OWNER, "CONN_HEALTH_CHECKS": True}

DEFAULT_FROM_EMAIL = required("MAIL_FROM", "the sender of mails, such as Sekisho <noreply@sekisho.example.go.jp>")
globals().update(mail(required("EMAIL_URL", "smtp+tls://user:password@host:587")))
STORAGES = {
    "default": storage(required("STORAGE_URL", "file:/srv/sekisho/files or s3://bucket/prefix"), "/"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

globals().update(broker(optional("BROKER_URL"), DATABASES["default"], BROKER_VISIBILITY_TIMEOUT))

SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LOG_AS_JSON = True
LOGGING = logs.logging_config(LOG_AS_JSON)
