"""A token endpoint of django-oauth-toolkit with a hashed secret, the peer in bench/tokens.py.

    python -m bench.oauth_toolkit FOLDER PORT

Served like runai-access: granian with two workers, and SQLite in its fastest mode. With default
settings: the secret is hashed with Django's first hasher.
"""

import os
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings

CLIENT_ID, SECRET = "bench", "a-secret-of-django-oauth-toolkit"


def configure() -> None:
    if settings.configured:  # before the workers were forked
        return
    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "oauth2_provider",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": Path(os.environ["BENCH_FOLDER"]) / "toolkit.sqlite3",
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
            }
        },
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="of another server",  # noqa: S106
        USE_TZ=True,
        ROOT_URLCONF="bench.oauth_toolkit",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def load() -> Any:
    """Return the application; granian calls this in each worker."""
    from django.core.wsgi import get_wsgi_application

    configure()
    return get_wsgi_application()


def __getattr__(name: str) -> Any:
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import path
    from oauth2_provider.views import TokenView

    return [path("token", TokenView.as_view())]


def main(folder: str, port: int) -> None:
    os.environ["BENCH_FOLDER"] = folder
    configure()
    from django.core.management import call_command
    from django.db import connections
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    connections.close_all()
    Granian(
        "bench.oauth_toolkit:load",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=2,
        blocking_threads=8,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
