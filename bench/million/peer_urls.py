"""The URLs of the peers added to ours, which are needed to sign in."""

from django.urls import URLPattern, path

from bench.million.api_peers import VIEW_SETS
from bench.million.peers import PlainList, PlainPage, plain_admin
from runai_access.urls import urlpatterns as ours


def _of_list(name: str) -> list[URLPattern]:
    view_set = VIEW_SETS[name]
    return [
        path(f"bench/api/{name}/", view_set.as_view({"get": "list"})),
        path(f"bench/api/{name}/<pk>/", view_set.as_view({"get": "retrieve"})),
    ]


urlpatterns = [
    path("bench/admin/", plain_admin.urls),
    path("bench/table/", PlainPage.as_view()),
    path("bench/api/", PlainList.as_view()),
    *(pattern for name in VIEW_SETS for pattern in _of_list(name)),
    *ours,
]
