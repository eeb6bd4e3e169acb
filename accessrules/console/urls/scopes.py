"""URLs of the scope pages: tree, list and dialogs."""

from django.urls import include, path

from accessrules.console.views import scope_dialogs, scope_list, scope_tree

app_name = "scopes"
urlpatterns = [
    path("", scope_tree.scopes, name="tree"),
    path("list/", include(scope_list.PAGE.patterns)),
    path("selected/", scope_tree.selected, name="selected-in-tree"),
    path("scopes.csv", scope_tree.csv, name="file"),
    path("new/", scope_dialogs.create, name="create"),
    path("<int:scope_id>/rename/", scope_dialogs.rename, name="rename"),
    path("<int:scope_id>/move/", scope_dialogs.move, name="move"),
    path("<int:scope_id>/delete/", scope_dialogs.delete, name="delete"),
]
