"""URLs of the Groups page and its dialogs."""

from django.urls import path

from runai_access.accounts.views import group, group_mappings, memberships, status
from runai_access.accounts.views.groups import PAGE

app_name = "groups"
_ON = {"kind": status.GROUPS, "enabled": True}
_OFF = {"kind": status.GROUPS, "enabled": False}
urlpatterns = [
    *PAGE.patterns,
    path("new/", group.create, name="create"),
    path("mappings/", group_mappings.mappings, name="mappings"),
    path("mappings/new/", group_mappings.create, name="create-mapping"),
    path("mappings/<uuid:mapping_id>/delete/", group_mappings.delete, name="delete-mapping"),
    path("bulk/enable/", status.bulk_set_enabled, _ON, name="bulk-enable"),
    path("bulk/disable/", status.bulk_set_enabled, _OFF, name="bulk-disable"),
    path("<uuid:id_>/", group.detail, name="detail"),
    path("<uuid:id_>/members/", memberships.members, name="members"),
    path(
        "<uuid:id_>/members/<uuid:member_id>/remove/",
        memberships.remove,
        name="remove-member",
    ),
    path("<uuid:id_>/enable/", status.set_enabled, _ON, name="enable"),
    path("<uuid:id_>/disable/", status.set_enabled, _OFF, name="disable"),
    path("<uuid:id_>/delete/", group.delete, name="delete"),
]
