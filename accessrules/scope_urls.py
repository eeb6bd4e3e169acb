"""Addresses of the pages of scopes: the tree, the list, and the dialogs that change them."""

from django.urls import include, path

from accessrules.views import scope_dialogs, scope_page, scopes

app_name = "scopes"
urlpatterns = [
    path("", scopes.scopes, name="tree"),
    path("list/", include(scope_page.PAGE.patterns)),
    path("selected/", scopes.selected, name="selected-in-tree"),
    path("scopes.csv", scopes.csv, name="file"),
    path("new/", scope_dialogs.create, name="create"),
    path("<int:scope_id>/rename/", scope_dialogs.rename, name="rename"),
    path("<int:scope_id>/move/", scope_dialogs.move, name="move"),
    path("<int:scope_id>/delete/", scope_dialogs.delete, name="delete"),
]
