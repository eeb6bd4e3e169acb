"""The sign-in page, and sign-out."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods, require_POST

from runai_access import errors_views
from runai_access.accounts import signin
from runai_access.accounts.forms import WRONG, SignInForm
from runai_access.accounts.middleware import ENDED
from runai_access.accounts.sessions import provider_of
from runai_access.accounts.sso.provider import sign_out_url
from runai_access.accounts.views.next_page import home, next_url, unless_home
from runai_access.errors import Busy
from runai_access.errors_views import is_for_programs
from runai_access.ui.dialogs import address_to_return_to, leave_and_keep_form, local_path
from runai_access.ui.forms import duration, later

SESSION_ENDED = "Your session has ended. Sign in to continue."
STALE = "This page has expired. Enter your password again."
# The query parameter that shows the form for a password, if users sign in with the provider only.
LOCAL = "local"
_FORMS_OF_SIGN_IN = (
    "accounts:sign-in",
    "accounts:second-factor",
    "accounts:provider-sign-in",
    "accounts:passkey-sign-in",
)
OUT_OF_DATE = "This form has expired. Check it and submit it again."


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for email and password, then redirect to the requested page."""
    wanted = next_url(request)
    if request.method != "POST":
        note = SESSION_ENDED if ENDED in request.GET else ""
        is_signed_in = request.user.is_authenticated
        return redirect(wanted) if is_signed_in else render_sign_in(request, wanted, note=note)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return render_sign_in(request, wanted, form, status=422)
    try:
        user = signin.sign_in(request, **form.cleaned_data)
    except signin.SecondFactorRequired:
        next_ = unless_home(wanted)
        query = f"?{urlencode({'next': next_})}" if next_ else ""
        return redirect(f"{resolve_url('accounts:second-factor')}{query}")
    except signin.TooManyFailures as refusal:
        form.add_error(None, f"{refusal} Try again in {duration(refusal.seconds)}.")
        return later(render_sign_in(request, wanted, form, status=429), refusal.seconds)
    except Busy as busy:
        form.add_error(None, "Too many users are signing in right now. Try again in a moment.")
        return later(render_sign_in(request, wanted, form, status=503), busy.retry_after)
    if user is None:
        form.add_error(None, WRONG)
        return render_sign_in(request, wanted, form, status=422)
    return redirect(wanted)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Handle a form that is older than the session.

    The sign-in form redirects if another tab has signed in, and starts over otherwise. A form in a
    dialog is opened again with its input.
    """
    if is_for_programs(request):
        return errors_views.csrf_failure(request, reason)
    if request.path in map(resolve_url, _FORMS_OF_SIGN_IN):
        wanted = local_path(request.POST.get("next", ""), home())
        if request.user.is_authenticated:
            return redirect(wanted)
        form = SignInForm(initial={"email": request.POST.get("email", "")})
        return render_sign_in(request, wanted, form, status=403, note=STALE)
    if "HX-Request" in request.headers:
        messages.warning(request, OUT_OF_DATE)
        return leave_and_keep_form(address_to_return_to(request))
    return errors_views.csrf_failure(request, reason)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, if there is one, and the one at the identity provider."""
    session = provider_of(request)
    if request.user.is_authenticated:
        signin.sign_out(request)
    if session and settings.OIDC and session["issuer"] == settings.OIDC.issuer:
        url = sign_out_url(session["id_token"])
        if url:
            return render_leave_page(request, url)
    return redirect(settings.LOGIN_URL)


def render_leave_page(request: HttpRequest, url: str) -> HttpResponse:
    """Return a page that immediately opens a URL of the identity provider.

    A redirect would violate `form-action 'self'` of our content security policy.
    """
    context = {"url": url, "provider": settings.OIDC}
    return render(request, "accounts/leave.html", context)


def render_sign_in(
    request: HttpRequest,
    wanted: str,
    form: SignInForm | None = None,
    *,
    status: int = 200,
    note: str = "",
    error: str = "",
) -> HttpResponse:
    """Render the sign-in page, with the reason why it is shown again."""
    local = settings.LOCAL_SIGN_IN
    context = {
        "form": form or SignInForm(),
        "next": unless_home(wanted),
        "note": note,
        "error": error,
        "contact": settings.HELP_CONTACT,
        "provider": settings.OIDC,
        "local_sign_in": local,
        "has_passkeys": settings.PASSKEY_DOMAIN is not None,
        # Break-glass users open it with a link.
        "shows_form": local != "off" or form is not None or LOCAL in request.GET,
    }
    return render(request, "accounts/sign_in.html", context, status=status)
