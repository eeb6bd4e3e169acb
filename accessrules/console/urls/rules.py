"""URLs of the pages of access rules and effective access."""

from django.urls import include, path

from accessrules.console.views import access_reports, new_rules, rules, subject_access

app_name = "accessrules"
urlpatterns = [
    path("access-rules/", include(rules.PAGE.patterns)),
    path("access-rules/new/", new_rules.create, name="create"),
    path("access-rules/bulk/delete/", rules.bulk_delete, name="bulk-delete"),
    path("access-rules/<int:rule_id>/delete/", rules.delete, name="delete"),
    path(
        "access/subjects/<uuid:subject_id>/",
        subject_access.effective_access,
        name="effective-access",
    ),
    path(
        "access/subjects/<uuid:subject_id>/access.csv",
        subject_access.effective_access_csv,
        name="effective-access-csv",
    ),
    path("access/scopes/<int:scope_id>/", access_reports.scope_access, name="scope-access"),
    path(
        "access/scopes/<int:scope_id>/access.csv",
        access_reports.scope_access_csv,
        name="scope-access-csv",
    ),
    path("access/rules/<int:rule_id>/changes/", access_reports.rule_changes, name="rule-changes"),
]
