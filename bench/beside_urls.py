"""The URLs of runai-access with empty views and a plain file added as baselines."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from applications.oauth.keyring import KEYRING
from applications.oauth.lookups import get_application_by_client_id
from applications.oauth.urls import first
from bench.plain_file import plain_file
from runai_access.urls import urlpatterns as ours

_ES256 = ec.ECDSA(hashes.SHA256())


@csrf_exempt
@login_not_required
def empty(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # a baseline
    return HttpResponse()


@csrf_exempt
@login_not_required
def floor(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # a baseline
    """Do nothing but the query and the signature of a token."""
    get_application_by_client_id("client", "")
    KEYRING.current().private_key.sign(b"a" * 400, _ES256)
    return HttpResponse()


# Django tries as many patterns for the token endpoints as in `runai_access.urls`, and one for `empty`.
urlpatterns = [
    path("bench/empty", empty),
    *first,
    path("bench/floor", floor),
    path("bench/plain.csv", plain_file),
    *ours,
]
