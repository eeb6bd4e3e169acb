from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "runai_access.accounts"
    label = "accounts"

    def ready(self) -> None:
        from accessrules.console.tables.subject_links import register_subject_page
        from accessrules.models import Subject

        register_subject_page(Subject.Type.USER, "users:detail")
        register_subject_page(Subject.Type.GROUP, "groups:detail")
