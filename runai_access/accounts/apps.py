from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "runai_access.accounts"
    label = "accounts"
