"""/api/v1/authorization/access-rules/batch and batch-create: bulk operations with a result per item."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.actions.bulk import (
    MAX_DELETIONS,
    MAX_SCOPES,
    MAX_SUBJECTS,
    act_on_found,
    run_in_batches,
)
from accessrules.actions.rules import NewRule, create_access_rules, delete_access_rules
from accessrules.api.new_rules import SUBJECT_TYPES, NewRuleReader
from accessrules.api.serializers import BatchCreateSerializer, BatchSerializer
from accessrules.api.views import CallerView
from accessrules.models import AccessRule, Scope, load_ancestors
from runai_access.api.errors import failure_of
from runai_access.api.fields import Body, Choice, Integer, Text
from runai_access.api.idempotency import Result, already_done, idempotent
from runai_access.api.ids import integer_id
from runai_access.errors import DomainError, Refusal


class RuleIds(Body):
    """The access rules to delete. IDs are strings here. `validate_delete` deletes nothing."""

    ids = serializers.ListField(child=Text(max_length=40), min_length=1, max_length=MAX_DELETIONS)
    action = Choice(choices=["delete", "validate_delete"])


class BatchSubject(Body):
    """A subject that gets the role."""

    subjectId = Text(max_length=255)
    subjectType = Choice(choices=list(SUBJECT_TYPES))


class BatchScope(Body):
    """A scope in which the role is granted."""

    scopeId = Text(max_length=64)
    scopeType = Choice(choices=Scope.Type.values)


class BatchPayload(Body):
    """The role to grant to each subject in each scope."""

    subjects = serializers.ListField(child=BatchSubject(), min_length=1, max_length=MAX_SUBJECTS)
    scopes = serializers.ListField(child=BatchScope(), min_length=1, max_length=MAX_SCOPES)
    roleId = Integer()
    expiresAt = serializers.DateTimeField(required=False, allow_null=True)


class NewRules(Body):
    """The request body that grants a role in bulk."""

    payload = BatchPayload()


class RulesBatchView(CallerView):
    """Bulk deletion of access rules, or a dry run of it."""

    tag = "Access rules"
    compressed_methods = ("POST",)
    idempotent = ("POST",)

    @extend_schema(request=RuleIds, responses=BatchSerializer)
    def post(self, request: Request) -> Response:
        """Delete access rules in bulk.

        The action `validate_delete` is a dry run: it reports which rules can be deleted. A rule that
        can't be deleted doesn't stop the others.
        """
        self.caller.authority.require_anywhere("delete", "access_rules")
        body = RuleIds(data=request.data)
        body.is_valid(raise_exception=True)
        is_dry_run = body.validated_data["action"] == "validate_delete"

        def execute(operation: str) -> Response:
            ids = body.validated_data["ids"]
            return self._delete_all(request, ids, operation, is_dry_run=is_dry_run)

        return _idempotent(self, request, execute)

    def _delete_all(
        self, request: Request, ids: list[str], operation: str, *, is_dry_run: bool
    ) -> Response:
        delete = partial(self._delete, is_dry_run=is_dry_run)
        outcomes = run_in_batches(
            request._request,
            dict.fromkeys(ids),
            lambda batch: act_on_found(batch, integer_id, delete),
        )
        succeeded = [outcome.wanted for outcome in outcomes if outcome.refusal is None]
        failed = [
            {"id": outcome.wanted, **_failure(outcome.refusal)}
            for outcome in outcomes
            if outcome.refusal is not None
        ]
        members = {"id": operation, "succeeded": succeeded, "failed": failed}
        return Response(BatchSerializer.represent(members))

    def _delete(self, ids: Sequence[int], *, is_dry_run: bool) -> list[AccessRule | Refusal]:
        with transaction.atomic():
            results = delete_access_rules(caller=self.caller, rule_ids=ids)
            if is_dry_run:
                # A dry run deletes and rolls back, so its result is always that of a real deletion.
                transaction.set_rollback(True)
        return results


class RulesBatchCreateView(CallerView):
    """Grants a role to up to ten subjects in up to ten scopes."""

    tag = "Access rules"
    compressed_methods = ("POST",)
    idempotent = ("POST",)

    @extend_schema(request=NewRules, responses=BatchCreateSerializer)
    def post(self, request: Request) -> Response:
        """Create access rules in bulk.

        Grants a role to each subject in each scope. A rule that can't be created doesn't stop the
        others.
        """
        self.caller.authority.require_anywhere("create", "access_rules")
        body = NewRules(data=request.data)
        body.is_valid(raise_exception=True)
        payload = body.validated_data["payload"]
        items = [
            {**subject, **scope, "roleId": payload["roleId"]}
            for subject, scope in product(payload["subjects"], payload["scopes"])
        ]
        expires_at = payload.get("expiresAt")
        return _idempotent(self, request, lambda _: self._create_all(request, items, expires_at))

    def _create_all(
        self, request: Request, items: list[dict[str, Any]], expires_at: datetime | None
    ) -> Response:
        read = NewRuleReader(self.caller.authority, expires_at)
        outcomes = run_in_batches(
            request._request, items, lambda batch: act_on_found(batch, read, self._create)
        )
        created = [outcome.made for outcome in outcomes if outcome.made is not None]
        failed = [
            {"payload": outcome.wanted, **_failure(outcome.refusal)}
            for outcome in outcomes
            if outcome.refusal is not None
        ]
        load_ancestors(rule.scope for rule in created)
        return Response(BatchCreateSerializer.represent({"succeeded": created, "failed": failed}))

    def _create(self, rules: Sequence[NewRule]) -> list[AccessRule | Refusal]:
        return create_access_rules(caller=self.caller, rules=rules)


def _idempotent(view: CallerView, request: Request, execute: Callable[[str], Response]) -> Response:
    """Run `execute` with a new operation ID. A repeated request with the same key is refused."""
    operation = str(uuid.uuid4())
    return idempotent(
        request,
        request.data,
        caller=view.caller_id,
        execute=lambda: Result(operation, execute(operation)),
        replay=lambda id_: already_done(
            id_, "The first response contains the result of each item."
        ),
    )


def _failure(refusal: DomainError) -> dict[str, Any]:
    code, message = failure_of(refusal)
    return {"code": code, "message": message}
