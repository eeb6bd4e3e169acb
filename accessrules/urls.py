"""Addresses of the pages that show what access rules come to."""

from django.urls import path

from accessrules import views

app_name = "accessrules"
urlpatterns = [
    path("subjects/<uuid:subject_id>/", views.effective_access, name="effective-access"),
    path(
        "subjects/<uuid:subject_id>/access.csv",
        views.effective_access_csv,
        name="effective-access-csv",
    ),
    path("scopes/<int:scope_id>/", views.scope_access, name="scope-access"),
    path("scopes/<int:scope_id>/access.csv", views.scope_access_csv, name="scope-access-csv"),
    path("rules/<int:rule_id>/changes/", views.rule_changes, name="rule-changes"),
]
