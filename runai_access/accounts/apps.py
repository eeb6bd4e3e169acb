from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "runai_access.accounts"
    label = "accounts"

    def ready(self) -> None:
        from accessrules.models import Subject
        from accessrules.subject_pages import register_subject_page

        register_subject_page(Subject.Type.USER, "users:detail")
        register_subject_page(Subject.Type.GROUP, "groups:detail")
