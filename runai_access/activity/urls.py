"""URLs of the Activity page."""

from django.urls import path

from runai_access.activity.views import PAGE, event

app_name = "activity"
urlpatterns = [
    *PAGE.patterns,
    path("<int:event_id>/", event, name="event"),
]
