"""The WSGI application that the production server runs."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runai_access.settings")
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Handle one request with the scheme of RUNAI_ACCESS_URL.

    The public URL is configured, so whether a request is secure does not depend on proxy headers.
    """
    from django.conf import settings

    environ["wsgi.url_scheme"] = "https" if settings.IS_HTTPS else "http"
    return _django(environ, start_response)
