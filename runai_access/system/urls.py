"""URLs of the System page."""

from django.urls import path

from runai_access.system.views import document, page

app_name = "system"
urlpatterns = [
    path("", page, name="page"),
    path("system.json", document, name="document"),
]
