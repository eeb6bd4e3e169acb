"""URLs of the Users page and its dialogs."""

from django.urls import path

from runai_access.accounts.views import memberships, passwords, status, user
from runai_access.accounts.views.users import PAGE

app_name = "users"
_ON = {"kind": status.USERS, "enabled": True}
_OFF = {"kind": status.USERS, "enabled": False}
urlpatterns = [
    *PAGE.patterns,
    path("new/", passwords.create, name="create"),
    path("bulk/enable/", status.bulk_set_enabled, _ON, name="bulk-enable"),
    path("bulk/disable/", status.bulk_set_enabled, _OFF, name="bulk-disable"),
    path("bulk/add-to-group/", memberships.bulk_add, name="bulk-add-to-group"),
    path("<uuid:id_>/", user.detail, name="detail"),
    path("<uuid:id_>/rename/", user.rename, name="rename"),
    path("<uuid:id_>/disconnect/", user.disconnect, name="disconnect"),
    path("<uuid:id_>/reset-factors/", user.reset_second_factors, name="reset-factors"),
    path("<uuid:id_>/delete/", user.delete, name="delete"),
    path("<uuid:id_>/groups/", memberships.groups_of_user, name="groups"),
    path("<uuid:id_>/reset-password/", passwords.reset_password, name="reset-password"),
    path("<uuid:id_>/enable/", status.set_enabled, _ON, name="enable"),
    path("<uuid:id_>/disable/", status.set_enabled, _OFF, name="disable"),
]
