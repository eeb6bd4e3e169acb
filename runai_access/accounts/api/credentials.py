"""Passwords, second factors and sessions of users: reset, change and sign out."""

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from runai_access.accounts import policy, signin
from runai_access.accounts.actions import (
    TemporaryPassword,
    give_temporary_password,
    own_user,
    sign_out_user,
)
from runai_access.accounts.api.serializers import OwnPasswordChange, TemporaryPasswordSerializer
from runai_access.accounts.api.users import password_unavailable
from runai_access.accounts.mfa.actions import reset_factors
from runai_access.api.idempotency import Result, idempotent
from runai_access.api.ids import uuid_id
from runai_access.errors import TooMany


class UserPasswordView(CallerView):
    """Reset of a user's password. Only this response contains the new one."""

    tag = "Users"
    idempotent = ("POST",)

    @extend_schema(request=None, responses=TemporaryPasswordSerializer)
    def post(self, request: Request, user_id: str) -> Response:
        """Reset the password of a user.

        Their sessions end immediately. The new password is temporary, and only this response contains
        it. Requires every permission that the user holds.
        """
        policy.one_for(self.caller, "update", uuid_id(user_id))
        password = TemporaryPassword.new()

        def execute() -> Result:
            issued = give_temporary_password(caller=self.caller, user_id=user_id, password=password)
            response = Response(TemporaryPasswordSerializer.represent(issued))
            return Result(str(issued.user.pk), response)

        return idempotent(
            request, None, caller=self.caller_id, execute=execute, replay=password_unavailable
        )


class UserLogoutView(CallerView):
    """The end of all sessions of a user."""

    tag = "Users"

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, user_id: str) -> Response:
        """Sign a user out everywhere.

        Their sessions, and tokens for their password, end immediately.
        """
        sign_out_user(caller=self.caller, user_id=uuid_id(user_id))
        return Response(status=204)


class UserFactorsView(CallerView):
    """The second factors of a user."""

    tag = "Users"

    @extend_schema(responses={204: None})
    def delete(self, request: Request, user_id: str) -> Response:
        """Reset the second factors of a user.

        Removes their authenticator app, passkeys and recovery codes, for a user who lost them. Their
        sessions end immediately. Requires every permission that the user holds.
        """
        reset_factors(caller=self.caller, user_id=uuid_id(user_id))
        return Response(status=204)


class OwnPasswordView(CallerView):
    """The password of the calling user."""

    tag = "Me"
    errors = {"POST": (404, 409)}

    @extend_schema(request=OwnPasswordChange, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change your password.

        All your sessions and tokens end, except the session of this request. Responds with 404 to an
        application, which has no password.
        """
        own_user(self.caller)
        body = OwnPasswordChange(data=request.data)
        body.is_valid(raise_exception=True)
        current, new = body.validated_data["currentPassword"], body.validated_data["newPassword"]
        try:
            signin.change_password(request._request, current=current, new=new)
        except ValidationError as error:
            by_member = {f"{name}Password": texts for name, texts in error.message_dict.items()}
            raise ValidationError(by_member) from error
        except signin.TooManyFailures as refusal:
            raise TooMany(str(refusal), retry_after=refusal.seconds) from None
        return Response(status=204)
