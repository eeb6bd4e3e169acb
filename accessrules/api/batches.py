"""/api/v1/authorization/access-rules/batch and batch-create: many at once, each told by itself."""

import uuid
from collections.abc import Callable
from itertools import product
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.actions.bulk import MAX_DELETIONS, MAX_SCOPES, MAX_SUBJECTS, run_bulk
from accessrules.actions.rules import create_access_rule, delete_access_rule
from accessrules.api.rules import SUBJECT_TYPES, find_role, find_rule_subject, find_scope
from accessrules.api.serializers import BatchCreateSerializer, BatchSerializer
from accessrules.api.views import CallerView
from accessrules.models import AccessRule, Scope, load_ancestors
from runai_access.api.errors import failure_of
from runai_access.api.fields import Body, Choice, Text, WholeNumber
from runai_access.api.idempotency import Result, already_done, idempotent
from runai_access.api.ids import integer_id
from runai_access.errors import DomainError


class RuleIds(Body):
    """The body of a batch: ids are strings here, and `validate_delete` only asks."""

    ids = serializers.ListField(child=Text(max_length=40), min_length=1, max_length=MAX_DELETIONS)
    action = Choice(choices=["delete", "validate_delete"])


class BatchSubject(Body):
    """A subject of a batch."""

    subjectId = Text(max_length=255)
    subjectType = Choice(choices=list(SUBJECT_TYPES))


class BatchScope(Body):
    """A scope of a batch."""

    scopeId = Text(max_length=64)
    scopeType = Choice(choices=Scope.Type.values)


class BatchPayload(Body):
    """One role for every subject in every scope."""

    subjects = serializers.ListField(child=BatchSubject(), min_length=1, max_length=MAX_SUBJECTS)
    scopes = serializers.ListField(child=BatchScope(), min_length=1, max_length=MAX_SCOPES)
    roleId = WholeNumber()


class NewRules(Body):
    """The body that grants one role many times."""

    payload = BatchPayload()


class RulesBatchView(CallerView):
    """Deletes rules, or says which could be deleted."""

    tag = "Access rules"
    compressed_methods = ("POST",)
    idempotent = ("POST",)

    @extend_schema(request=RuleIds, responses=BatchSerializer)
    def post(self, request: Request) -> Response:
        """Delete access rules in bulk.

        With the action `validate_delete`, nothing is deleted: the answer says which rules could be.
        A rule that can't be deleted doesn't stop the others.
        """
        self.caller.authority.require_anywhere("delete", "access_rules")
        body = RuleIds(data=request.data)
        body.is_valid(raise_exception=True)
        for_real = body.validated_data["action"] == "delete"

        def make(operation: str) -> Response:
            return self._answer(request, body.validated_data["ids"], operation, for_real=for_real)

        return _once(self, request, make)

    def _answer(
        self, request: Request, ids: list[str], operation: str, *, for_real: bool
    ) -> Response:
        outcomes = run_bulk(
            request._request,
            dict.fromkeys(ids),
            lambda id_: self._delete(id_, for_real=for_real),
        )
        succeeded = [outcome.wanted for outcome in outcomes if outcome.refusal is None]
        failed = [
            {"id": outcome.wanted, **_failure(outcome.refusal)}
            for outcome in outcomes
            if outcome.refusal is not None
        ]
        members = {"id": operation, "succeeded": succeeded, "failed": failed}
        return Response(BatchSerializer.represent(members))

    def _delete(self, id_: str, *, for_real: bool) -> None:
        with transaction.atomic():
            delete_access_rule(caller=self.caller, rule_id=integer_id(id_))
            if not for_real:
                # Asking takes the very same way as doing, so the two can't disagree.
                transaction.set_rollback(True)


class RulesBatchCreateView(CallerView):
    """Grants one role to up to ten subjects in up to ten scopes."""

    tag = "Access rules"
    compressed_methods = ("POST",)
    idempotent = ("POST",)

    @extend_schema(request=NewRules, responses=BatchCreateSerializer)
    def post(self, request: Request) -> Response:
        """Create access rules in bulk.

        Grants one role to each subject in each scope. A rule that can't be created doesn't stop
        the others.
        """
        self.caller.authority.require_anywhere("create", "access_rules")
        body = NewRules(data=request.data)
        body.is_valid(raise_exception=True)
        payload = body.validated_data["payload"]
        wanted = [
            {**subject, **scope, "roleId": payload["roleId"]}
            for subject, scope in product(payload["subjects"], payload["scopes"])
        ]
        return _once(self, request, lambda _: self._answer(request, wanted))

    def _answer(self, request: Request, wanted: list[dict[str, Any]]) -> Response:
        outcomes = run_bulk(request._request, wanted, self._create)
        created = [outcome.made for outcome in outcomes if outcome.made is not None]
        failed = [
            {"payload": outcome.wanted, **_failure(outcome.refusal)}
            for outcome in outcomes
            if outcome.refusal is not None
        ]
        load_ancestors(rule.scope for rule in created)
        return Response(BatchCreateSerializer.represent({"succeeded": created, "failed": failed}))

    def _create(self, wanted: dict[str, Any]) -> AccessRule:
        return create_access_rule(
            caller=self.caller,
            subject=find_rule_subject(wanted),
            role=find_role(wanted["roleId"]),
            scope=find_scope(self.caller.authority, wanted["scopeType"], wanted["scopeId"]),
        )


def _once(view: CallerView, request: Request, make: Callable[[str], Response]) -> Response:
    """Return what `make` answers of an operation; under a key it happens once, as a whole."""
    operation = str(uuid.uuid4())
    return idempotent(
        request,
        request.data,
        caller=view.caller_id,
        execute=lambda: Result(operation, make(operation)),
        replay=lambda id_: already_done(id_, "What came of each item was in that answer."),
    )


def _failure(refusal: DomainError) -> dict[str, Any]:
    code, message = failure_of(refusal)
    return {"code": code, "message": message}
