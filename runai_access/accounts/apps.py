from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "runai_access.accounts"
    label = "accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from accessrules.console.tables.subject_links import register_subject_page
        from accessrules.models import Subject
        from runai_access.accounts.sessions import on_sign_in

        user_logged_in.connect(on_sign_in, dispatch_uid="accounts.sessions")
        register_subject_page(Subject.Type.USER, "users:detail")
        register_subject_page(Subject.Type.GROUP, "groups:detail")
