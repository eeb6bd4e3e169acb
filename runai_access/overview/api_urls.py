"""URL of the Overview in the API."""

from django.urls import path

from runai_access.overview.api import OverviewView

app_name = "overview-api"
urlpatterns = [path("overview", OverviewView.as_view(), name="overview")]
