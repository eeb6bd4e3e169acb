"""URLs of the users endpoints."""

from django.urls import path

from runai_access.accounts.api.credentials import (
    OwnPasswordView,
    UserFactorsView,
    UserLogoutView,
    UserPasswordView,
)
from runai_access.accounts.api.users import UsersCountView, UsersView, UserView

app_name = "accounts-api"
urlpatterns = [
    path("users", UsersView.as_view(), name="users"),
    path("users/count", UsersCountView.as_view(), name="users-count"),
    path("users/<str:user_id>", UserView.as_view(), name="user"),
    path("users/<str:user_id>/password", UserPasswordView.as_view(), name="user-password"),
    path("users/<str:user_id>/logout", UserLogoutView.as_view(), name="user-logout"),
    path("users/<str:user_id>/factors", UserFactorsView.as_view(), name="user-factors"),
    path("me/password", OwnPasswordView.as_view(), name="own-password"),
]
