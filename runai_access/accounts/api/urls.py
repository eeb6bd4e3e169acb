"""URLs of the users endpoints."""

from django.urls import path

from runai_access.accounts.api.users import UsersCountView, UsersView, UserView

app_name = "accounts-api"
urlpatterns = [
    path("users", UsersView.as_view(), name="users"),
    path("users/count", UsersCountView.as_view(), name="users-count"),
    path("users/<str:user_id>", UserView.as_view(), name="user"),
]
