"""Settings come from environment variables; `.env.example` lists each with its meaning."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue
from psycopg.conninfo import make_conninfo


def required(name: str, meaning: str) -> str:
    """This function will return the variable, or refuse to start and say what to set."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise ImproperlyConfigured(
            f"The environment variable {name} is missing: set it to {meaning}. See .env.example."
        )
    return value


def optional(name: str, default: str = "") -> str:
    """This function will return the variable or the default."""
    return os.environ.get(name, "").strip() or default


def database(url: str) -> dict[str, Any]:
    """This function will turn `postgresql://user:password@host:port/name?host=/socket` into Django's form."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL must begin with postgresql://, not {parts.scheme}://.")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": query,
    }


def mail(url: str) -> dict[str, Any]:
    """This function will turn EMAIL_URL into settings: `file:var/mail`, `smtp://user:pw@host:25`, `smtps://`, `smtp+tls://`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {"EMAIL_BACKEND": "config.mail_folder.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    if parts.scheme not in ("smtp", "smtps", "smtp+tls"):
        raise ImproperlyConfigured(f"EMAIL_URL must begin with smtp://, smtps://, smtp+tls:// or file:, not {url!r}.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_TIMEOUT": 20,
    }


def storage(url: str, base: str) -> dict[str, Any]:
    """This function will turn STORAGE_URL into Django's storage form: `file:var/files` or `s3://bucket/prefix?...`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": os.path.join(base, parts.path)},
        }
    if parts.scheme == "s3":
        options = {"bucket_name": parts.netloc, "location": parts.path.strip("/"), **dict(parse_qsl(parts.query))}
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"default_acl": "private", **options}}
    raise ImproperlyConfigured(f"STORAGE_URL must begin with file: or s3://, not {url!r}.")


def broker(url: str, config: dict[str, Any], visibility_timeout: int) -> dict[str, Any]:
    """This function will make Celery's settings for BROKER_URL, or for the queue inside this database when it is empty."""
    options: dict[str, Any] = {"visibility_timeout": visibility_timeout}
    if not url:
        return _broker_in_database(config, options)
    if url.startswith("redis"):
        # Without this a task lost with its worker comes back only after 100 seconds more.
        options["unacked_restore_throttle"] = 1
    return {"CELERY_BROKER_URL": url, "CELERY_BROKER_TRANSPORT_OPTIONS": options}


def _broker_in_database(config: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    words = {
        "host": config["HOST"],
        "port": config["PORT"],
        "user": config["USER"],
        "password": config["PASSWORD"],
        "dbname": config["NAME"],
    }
    # In libpq form: the URI form loses `?host=`.
    where = make_conninfo(**{key: value for key, value in words.items() if value})
    return {
        "CELERY_BROKER_URL": "pgmq://localhost",
        "CELERY_BROKER_TRANSPORT_OPTIONS": {
            **options,
            "conn_string": where,
            "init_extension": False,
            "wait_time_seconds": 2,
            "polling_interval": 0.2,
        },
        # The migrations made the queue as its owner; the application may create none and sends to it by name.
        "CELERY_TASK_QUEUES": [Queue("celery", Exchange(""), routing_key="celery", no_declare=True)],
        "CELERY_TASK_DEFAULT_EXCHANGE": "",
        "CELERY_TASK_DEFAULT_ROUTING_KEY": "celery",
    }
