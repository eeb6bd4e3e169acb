"""URLs of SCIM 2.0, below `/scim/v2`."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

app_name = "scim"


def _scim_path(route: str, name: str) -> URLPattern:
    """Return the URL of a view, whose code is imported by the first request.

    The libraries of SCIM take 20 MB of memory in each process, and most installations never use them.
    The views authenticate requests themselves, and accept no cookies.
    """

    @csrf_exempt
    @login_not_required
    def view(request: HttpRequest, **parameters: str) -> HttpResponseBase:
        from runai_access.scim.views import VIEWS

        return VIEWS[name](request, **parameters)

    return path(route, view, name=name)


urlpatterns = [
    _scim_path("ServiceProviderConfig", "service-provider-config"),
    _scim_path("ResourceTypes", "resource-types"),
    _scim_path("ResourceTypes/<str:name>", "resource-type"),
    _scim_path("Schemas", "schemas"),
    _scim_path("Schemas/<str:name>", "schema"),
    _scim_path("Users", "users"),
    _scim_path("Users/<str:user_id>", "user"),
    _scim_path("Groups", "groups"),
    _scim_path("Groups/<str:group_id>", "group"),
    _scim_path(".search", "search"),
]
