"""The URLs of the peers added to ours, which are needed to sign in."""

from django.urls import path

from bench.million.peers import PlainList, PlainPage, plain_admin
from runai_access.urls import urlpatterns as ours

urlpatterns = [
    path("bench/admin/", plain_admin.urls),
    path("bench/table/", PlainPage.as_view()),
    path("bench/api/", PlainList.as_view()),
    *ours,
]
