"""URLs to sign in and out, and of the user's own account."""

from django.urls import path

from runai_access.accounts.views import confirming, own, sign_on, signing_in

app_name = "accounts"
urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign-in"),
    path("sign-in/provider/", sign_on.start, name="provider-sign-in"),
    path("sign-in/provider/callback/", sign_on.callback, name="provider-callback"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("account/", own.own, name="own"),
    path("account/confirm/", confirming.confirm, name="confirm"),
    path("account/confirm/provider/", sign_on.confirm, name="provider-confirm"),
    path("account/connect/", sign_on.connect, name="provider-connect"),
    path("account/password/", own.password, name="password"),
    path("account/sessions/<uuid:session_id>/end/", own.end_session, name="end-session"),
    path("account/sign-out-elsewhere/", own.sign_out_elsewhere, name="sign-out-elsewhere"),
    path("account/sign-out-everywhere/", own.sign_out_everywhere, name="sign-out-everywhere"),
]
