"""/.well-known/security.txt: contacts for vulnerability reports (RFC 9116)."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

# RFC 9116 §2.5.5 recommends less than a year. Each response computes the date, so it never expires.
_VALID = timedelta(days=364)
_KEPT_SECONDS = 24 * 60 * 60
_PATH = "/.well-known/security.txt"


@login_not_required
@require_safe
def security_txt(_request: HttpRequest) -> HttpResponse:
    """List the contacts in RUNAI_ACCESS_SECURITY_CONTACT; 404 if unset: the RFC requires a contact."""
    if not settings.SECURITY_CONTACTS:
        raise Http404
    today = datetime.combine(datetime.now(UTC), time(tzinfo=UTC))
    lines = [
        *(f"Contact: {contact}" for contact in settings.SECURITY_CONTACTS),
        f"Expires: {today + _VALID:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        # §2.5.2: it must begin with https://.
        *([f"Canonical: {settings.PUBLIC_URL}{_PATH}"] if settings.IS_HTTPS else []),
    ]
    response = HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={_KEPT_SECONDS}"
    return response
