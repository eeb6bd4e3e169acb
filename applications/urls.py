"""URLs of the Applications page and its dialogs."""

from django.urls import path

from applications.views import (
    access_rules,
    bulk,
    containment,
    detail,
    details,
    dialogs,
    find_secret,
    secrets,
)
from applications.views.listing import PAGE

app_name = "applications"
urlpatterns = [
    *PAGE.patterns,
    path("bulk/add-rule/", bulk.add_rule, name="bulk-add-rule"),
    *[
        path(f"bulk/{name}/", bulk.bulk_action, {"action": name}, name=f"bulk-{name}")
        for name in bulk.BULK
    ],
    path("bulk/details/", details.bulk_details, name="bulk-details"),
    path("find-secret/", find_secret.find_secret, name="find-secret"),
    path("new/", secrets.create, name="create"),
    path("<uuid:id_>/like/", secrets.create, name="like"),
    path("<uuid:id_>/", detail.detail, name="detail"),
    path("<uuid:id_>/access-rules/", access_rules.access_rules, name="access-rules"),
    path(
        "<uuid:id_>/access-rules/<int:rule_id>/delete/",
        access_rules.delete,
        name="delete-access-rule",
    ),
    path("<uuid:id_>/access-rules/restore/", access_rules.restore, name="restore-access-rule"),
    path("<uuid:id_>/regenerate/", secrets.regenerate, name="regenerate"),
    path("<uuid:id_>/contain/", containment.contain, name="contain"),
    path("<uuid:id_>/report/", containment.report, name="report"),
    path("<uuid:id_>/report/report.csv", containment.report_csv, name="report-csv"),
    path("<uuid:id_>/replace-and-enable/", secrets.replace_and_enable, name="replace-and-enable"),
    path("<uuid:id_>/secrets/new/", secrets.add, name="add-secret"),
    path("<uuid:id_>/secrets/<str:secret_id>/revoke/", secrets.revoke, name="revoke-secret"),
    path("<uuid:id_>/details/", details.details, name="details"),
    path("<uuid:id_>/allowed-addresses/", details.allowed_addresses, name="allowed-addresses"),
    path("<uuid:id_>/token-lifetime/", dialogs.token_lifetime, name="token-lifetime"),
    path("<uuid:id_>/enable/", dialogs.set_enabled, {"enabled": True}, name="enable"),
    path("<uuid:id_>/disable/", dialogs.set_enabled, {"enabled": False}, name="disable"),
    path("<uuid:id_>/delete/", dialogs.delete, name="delete"),
]
