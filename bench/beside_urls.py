"""The URLs of runai-access with an empty view and a plain file added as baselines."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from bench.plain_file import plain_file
from runai_access.urls import urlpatterns as ours


@csrf_exempt
@login_not_required
def empty(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # a baseline
    return HttpResponse()


urlpatterns = [path("bench/empty", empty), path("bench/plain.csv", plain_file), *ours]
