"""URL of the Overview page."""

from django.urls import path

from runai_access.overview.views import page

app_name = "overview"
urlpatterns = [path("", page, name="page")]
