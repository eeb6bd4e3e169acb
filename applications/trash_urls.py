"""URLs of the Trash page and its dialog."""

from django.urls import path

from applications.views.trash import PAGE, restore

app_name = "trash"
urlpatterns = [
    *PAGE.patterns,
    path("<uuid:id_>/restore/", restore, name="restore"),
]
