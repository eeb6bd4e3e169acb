"""URLs of the page frame."""

from django.urls import path

from runai_access.ui import views

app_name = "ui"
urlpatterns = [
    path("theme/", views.choose_theme, name="theme"),
    path("times/", views.choose_times, name="times"),
    path("keys/", views.keys, name="keys"),
]
