"""The root URLconf."""

from django.urls import include, path

from accessrules.console.navigation import StartView
from applications.oauth.urls import first
from runai_access.api.docs import SchemaView, api_docs
from runai_access.security_contact import security_txt

urlpatterns = [
    *first,
    path("", StartView.as_view(), name="home"),
    path("", include("runai_access.accounts.urls")),
    path("users/", include("runai_access.accounts.user_urls")),
    path("groups/", include("runai_access.accounts.group_urls")),
    path("", include("runai_access.ui.urls")),
    path("applications/trash/", include("applications.trash_urls")),
    path("applications/", include("applications.urls")),
    path("", include("accessrules.console.urls.rules")),
    path("roles/", include("accessrules.console.urls.roles")),
    path("scopes/", include("accessrules.console.urls.scopes")),
    path("activity/", include("runai_access.activity.urls")),
    path("overview/", include("runai_access.overview.urls")),
    path("system/", include("runai_access.system.urls")),
    path("api/docs/", api_docs, name="api-docs"),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path(".well-known/security.txt", security_txt, name="security-txt"),
    path("", include("applications.api.urls")),
    path("", include("applications.oauth.urls")),
    path("api/v1/", include("accessrules.api.urls")),
    path("api/v1/", include("runai_access.accounts.api.urls")),
    path("api/v1/", include("runai_access.activity.api_urls")),
    path("api/v1/", include("runai_access.overview.api_urls")),
    path("scim/v2/", include("runai_access.scim.urls")),
]

handler400 = "runai_access.errors_views.bad_request"
handler403 = "runai_access.errors_views.forbidden"
handler404 = "runai_access.errors_views.not_found"
handler500 = "runai_access.errors_views.server_error"
