"""URLs to sign in and out, and of the user's own account."""

from django.urls import path

from runai_access.accounts.views import confirming, factors, own, second_factor, sign_on, signing_in

app_name = "accounts"
urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign-in"),
    path("sign-in/second-factor/", second_factor.enter_code, name="second-factor"),
    path("sign-in/passkey/", second_factor.use_passkey, name="passkey-sign-in"),
    path("sign-in/passkey/options/", second_factor.passkey_options, name="passkey-options"),
    path("sign-in/provider/", sign_on.start, name="provider-sign-in"),
    path("sign-in/provider/callback/", sign_on.callback, name="provider-callback"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("account/", own.own, name="own"),
    path("account/confirm/", confirming.confirm, name="confirm"),
    path("account/confirm/provider/", sign_on.confirm, name="provider-confirm"),
    path("account/confirm/passkey/", confirming.confirm_with_passkey, name="passkey-confirm"),
    path(
        "account/confirm/passkey/options/",
        confirming.passkey_options,
        name="passkey-confirm-options",
    ),
    path("account/connect/", sign_on.connect, name="provider-connect"),
    path("account/password/", own.password, name="password"),
    path("account/factors/new/", factors.enroll, name="enroll"),
    path("account/factors/app/", factors.enroll_app, name="enroll-app"),
    path("account/factors/passkey/", factors.enroll_passkey, name="enroll-passkey"),
    path("account/factors/passkey/options/", factors.passkey_creation, name="passkey-creation"),
    path("account/factors/recovery-codes/", factors.recovery_codes, name="recovery-codes"),
    path("account/factors/<int:factor_id>/rename/", factors.rename, name="rename-factor"),
    path("account/factors/<int:factor_id>/remove/", factors.remove, name="remove-factor"),
    path("account/sessions/<uuid:session_id>/end/", own.end_session, name="end-session"),
    path("account/sign-out-elsewhere/", own.sign_out_elsewhere, name="sign-out-elsewhere"),
    path("account/sign-out-everywhere/", own.sign_out_everywhere, name="sign-out-everywhere"),
]
