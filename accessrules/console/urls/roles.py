"""URLs of the role pages."""

from django.urls import path

from accessrules.console.views import roles

app_name = "roles"
urlpatterns = [
    *roles.PAGE.patterns,
    path("compare/", roles.compare, name="compare"),
    path("bulk/compare/", roles.compare_selected, name="bulk-compare"),
    path("<int:role_id>/", roles.detail, name="detail"),
]
