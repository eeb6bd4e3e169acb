"""Addresses of the pages about people; every dialog has its own."""

from django.urls import path

from runai_access.accounts.views import credentials, memberships, person, status
from runai_access.accounts.views.people import PAGE

app_name = "users"
_ON = {"kind": status.USERS, "enabled": True}
_OFF = {"kind": status.USERS, "enabled": False}
urlpatterns = [
    *PAGE.patterns,
    path("new/", credentials.create, name="create"),
    path("several/enable/", status.set_several_enabled, _ON, name="bulk-enable"),
    path("several/disable/", status.set_several_enabled, _OFF, name="bulk-disable"),
    path("several/add-to-group/", memberships.add_several, name="bulk-add-to-group"),
    path("<uuid:id_>/", person.detail, name="detail"),
    path("<uuid:id_>/groups/", memberships.groups_of_person, name="groups"),
    path("<uuid:id_>/reset-password/", credentials.reset_password, name="reset-password"),
    path("<uuid:id_>/enable/", status.set_enabled, _ON, name="enable"),
    path("<uuid:id_>/disable/", status.set_enabled, _OFF, name="disable"),
]
