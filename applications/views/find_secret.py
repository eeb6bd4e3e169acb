"""The FIND A SECRET page. What is pasted there is in no response, message, URL or log."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accessrules.authorization.callers import caller_of
from applications import policy
from applications.forms import FindSecretForm
from applications.secret_search import MAX_SECRETS, FoundSecret, SecretSearch, search_secrets
from runai_access.errors import Busy, TooMany
from runai_access.ui.forms import duration, later


@sensitive_post_parameters("text")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def find_secret(request: HttpRequest) -> HttpResponse:
    """Ask for a text; say which client secrets it contains."""
    caller = caller_of(request)
    policy.require_anywhere(caller, "read")
    form = FindSecretForm(request.POST if request.method == "POST" else None)
    if not form.is_bound:
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        search = search_secrets(caller=caller, text=form.cleaned_data["text"])
    except Busy as busy:
        form.add_error("text", f"{busy} Try again in {duration(busy.retry_after)}.")
        status = 429 if isinstance(busy, TooMany) else 503
        return later(_page(request, form, status=status), busy.retry_after)
    return _page(request, form, search)


def _page(
    request: HttpRequest,
    form: FindSecretForm,
    search: SecretSearch | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    caller = caller_of(request)
    context = {
        "errors": form.errors.get("text", []),
        "search": search,
        "results": [_result(request, found) for found in search.found] if search else [],
        "max_secrets": MAX_SECRETS,
        "can_contain": policy.is_allowed(caller, "update"),
    }
    return render(request, "applications/find_secret.html", context, status=status)


def _result(request: HttpRequest, found: FoundSecret) -> dict[str, object]:
    """Return what the page shows of a found secret."""
    caller, application = caller_of(request), found.application
    return {
        "found": found,
        "can_revoke": application is not None
        and found.status in ("live", "expired")
        and policy.can_manage_secrets(caller, application),
    }
