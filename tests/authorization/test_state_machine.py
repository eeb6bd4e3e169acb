"""Random sequences of steps: all decisions agree with the naive model, without privilege escalation.

Users, applications and groups add and delete rules, join and leave groups, are disabled, and move
scopes. After each step all decisions are compared. The actor of a step must already have every
permission that anyone gains by it.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accessrules.actions import groups as group_actions
from accessrules.actions import rules as rule_actions
from accessrules.actions import scopes as scope_actions
from accessrules.actions.subjects import set_subject_enabled
from accessrules.authorization.authority import authority_of
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.models import AccessRule, Role, Scope, Subject
from applications.actions.deletion import delete_application
from applications.actions.status import set_application_enabled
from runai_access.accounts.actions import set_user_enabled
from runai_access.errors import Conflict, Denied, NotFound
from tests import factories, sizes
from tests.authorization.naive import EVERYBODY, Key, Person, Table

LETTERS = {"c": "create", "r": "read", "u": "update", "d": "delete"}
TYPES = ("access_rules", "apps", "users", "groups", "project", "department", "workspaces")
ROLES = {
    "everything": dict.fromkeys(TYPES, "crud"),
    "granter": {"access_rules": "crd", "workspaces": "cr"},
    "keeper": {"apps": "crud", "users": "ru", "groups": "ud"},
    "reader": {"apps": "r", "users": "r", "groups": "r", "access_rules": "r", "department": "r"},
    "organizer": {"project": "crud", "department": "cud", "access_rules": "rd"},
    "worker": {"workspaces": "cr"},
}
EVERY = [(action, type_) for action in LETTERS.values() for type_ in TYPES]
# The resource type of each type of subject.
KINDS = {"app": "apps", "user": "users", "group": "groups"}
_ENTRY = ("subject", "role", "scope")
pick = st.integers(0, 10_000)


class Organization(RuleBasedStateMachine):
    """The product and the naive model, with the same steps applied to both."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.numbers = count()
        self.turns = count()
        self.table = Table(root=factories.account().pk)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def found(self) -> None:
        for name, permissions in ROLES.items():
            role = factories.custom_role(name, **permissions)
            self.table.roles[role.pk] = {
                (LETTERS[letter], type_) for type_, held in permissions.items() for letter in held
            }
        for name in ("east", "west"):
            cluster = factories.cluster(name)
            self.table.parents[cluster.pk] = self.table.root
            department = factories.department(f"research {name}", cluster)
            self.table.parents[department.pk] = cluster.pk
            project = factories.project(f"vision {name}", department)
            self.table.parents[project.pk] = department.pk
        self.add(factories.person("ada@acme.example"))
        self.add(factories.person("bo@acme.example"))
        ci = factories.application("ci")
        ops = factories.group("ops", ci)
        self.add(ci)
        self.add(ops)
        self.table.people[ops.pk].members.add(ci.pk)
        # Ada has all permissions, Bo some that tempt to escalation, and the group works in the west.
        everything, _, keeper, _, organizer, worker = sorted(self.table.roles)
        account, west = self.scope(0), Scope.objects.get(name="west")
        for role, name, scope in [
            (everything, "ada@acme.example", account),
            (keeper, "bo@acme.example", account),
            (organizer, "bo@acme.example", account),
            (worker, "ops", west),
        ]:
            subject = Subject.objects.get(name=name)
            self.grant(SYSTEM, Role.objects.get(pk=role), subject, scope)

    # The parameters of a step are numbers, so that Hypothesis can shrink them.

    def add(self, holder: factories.Holder) -> None:
        subject = factories.subject_of(holder)
        self.table.people[subject.pk] = Person(subject.type)

    def subject(self, number: int, *kinds: str) -> Subject:
        keys = [k for k, p in self.table.people.items() if not kinds or p.kind in kinds]
        return Subject.objects.get(pk=keys[number % len(keys)])

    def has(self, kind: str) -> bool:
        return any(person.kind == kind for person in self.table.people.values())

    def scope(self, number: int, *types: str) -> Scope:
        scopes = Scope.objects.selectable().order_by("depth", "created_at", "pk")
        if types:
            scopes = scopes.filter(type__in=types)
        return scopes[number % scopes.count()]

    def role(self, number: int) -> Role:
        return Role.objects.get(pk=sorted(self.table.roles)[number % len(ROLES)])

    def actor(self, number: int) -> Caller:
        return Caller(self.subject(number, "user", "app"))

    def attempt(self, caller: Caller, is_allowed: bool, act: Callable[[], Any]) -> Any:
        """Call `act`; return its result, or None if it was refused as the model expects."""
        try:
            with transaction.atomic():
                done = act() or True
        except Conflict:
            return None
        except (Denied, NotFound):
            assert not is_allowed, "refused, although it is allowed"
            return None
        assert is_allowed, f"{caller.name} did what is not allowed"
        return done

    def gaining(self, actor: Key, change: Callable[[], None], **moved: Key) -> None:
        """Change the model; the actor must already have all permissions that anyone gains."""
        before = self.table.everything()
        held = {(permission, scope) for who, permission, scope in before if who == actor}
        known = self.table.scopes()
        change()
        for who, permission, scope in self.table.everything() - before:
            if actor is EVERYBODY or scope not in known:
                continue
            # For a moved scope, the actor must have the permission at the target.
            place = moved["target"] if scope in moved.get("places", ()) else scope
            assert (permission, place) in held, (who, permission, scope)

    # Rules

    @rule(role_at=pick, who=pick, where=pick)
    def system_grants(self, role_at: int, who: int, where: int) -> None:
        self.grant(SYSTEM, self.role(role_at), self.subject(who), self.scope(where))

    @rule(actor=pick, role_at=pick, who=pick, where=pick)
    def somebody_grants(self, actor: int, role_at: int, who: int, where: int) -> None:
        self.grant(self.actor(actor), self.role(role_at), self.subject(who), self.scope(where))

    def grant(self, caller: Caller, role: Role, subject: Subject, scope: Scope) -> None:
        key = self.key(caller)
        made = self.attempt(
            caller,
            self.table.can_grant(key, role.pk, scope.pk),
            lambda: rule_actions.create_access_rule(
                caller=caller, subject=subject, role=role, scope=scope
            ),
        )
        if made:
            entry = (subject.pk, role.pk, scope.pk)
            self.gaining(key, lambda: self.table.rules.add(entry))

    @precondition(lambda self: self.table.rules)
    @rule(actor=pick, which=pick, by_system=st.sampled_from([False, False, True]))
    def somebody_deletes_a_rule(self, actor: int, which: int, by_system: bool) -> None:
        caller = SYSTEM if by_system else self.actor(actor)
        found = AccessRule.objects.living().filter(role__in=self.table.roles).order_by("pk")
        rule_ = found[which % len(self.table.rules)]
        entry = (rule_.subject_id, rule_.role_id, rule_.scope_id)
        key = self.key(caller)
        is_allowed = all(
            self.table.allows(key, (action, "access_rules"), rule_.scope_id)
            for action in ("read", "delete")
        )
        if self.attempt(
            caller,
            is_allowed,
            lambda: rule_actions.delete_access_rule(caller=caller, rule_id=rule_.pk),
        ):
            self.table.rules.remove(entry)

    # Groups and impersonation

    @precondition(lambda self: self.has("group"))
    @rule(actor=pick, group=pick, member=pick, joins=st.booleans())
    def somebody_joins_or_leaves(self, actor: int, group: int, member: int, joins: bool) -> None:
        caller, of = self.actor(actor), self.subject(group, "group")
        new_member = self.subject(member, "user", "app")
        key, members = self.key(caller), self.table.people[of.pk].members
        is_allowed = self.table.allows(key, ("update", "groups"), self.table.root)
        if joins:
            is_allowed = is_allowed and self.table.can_impersonate(key, of.pk)
            if self.attempt(
                caller,
                is_allowed,
                lambda: group_actions.add_member(caller=caller, group=of, member=new_member),
            ):
                self.gaining(key, lambda: members.add(new_member.pk))
        elif new_member.pk in members and self.attempt(
            caller,
            is_allowed,
            lambda: group_actions.remove_member(caller=caller, group=of, member=new_member),
        ):
            members.remove(new_member.pk)

    @rule(actor=pick, who=pick, enabled=st.booleans())
    def somebody_enables_or_disables(self, actor: int, who: int, enabled: bool) -> None:
        caller, subject = self.actor(actor), self.subject(who)
        key, person = self.key(caller), self.table.people[subject.pk]
        if person.enabled == enabled:
            return
        if person.kind == "group":
            is_allowed = self.table.allows(key, ("update", "groups"), self.table.root)
        else:
            is_allowed = self.can_change(key, "update", subject)
        is_allowed = is_allowed and (not enabled or self.table.can_impersonate(key, subject.pk))
        if self.attempt(caller, is_allowed, lambda: self.switch(caller, subject, enabled)):
            self.gaining(key, lambda: setattr(person, "enabled", enabled))
            self.check_who_can_impersonate(person.members or {subject.pk})

    def switch(self, caller: Caller, subject: Subject, enabled: bool) -> None:
        if subject.type == Subject.Type.GROUP:
            group_actions.set_group_enabled(caller=caller, group=subject, enabled=enabled)
        elif subject.type == Subject.Type.USER:
            set_user_enabled(caller=caller, user_id=subject.pk, enabled=enabled)
        else:
            set_application_enabled(caller=caller, application_id=subject.pk, enabled=enabled)

    @rule(who=pick, enabled=st.booleans())
    def the_system_enables_or_disables_a_user(self, who: int, enabled: bool) -> None:
        subject = self.subject(who, "user")
        set_subject_enabled(subject, enabled=enabled)
        self.table.people[subject.pk].enabled = enabled

    @rule(actor=pick, who=pick)
    def somebody_creates_a_credential(self, actor: int, who: int) -> None:
        caller, subject = self.actor(actor), self.subject(who)
        self.attempt(
            caller,
            self.table.can_impersonate(self.key(caller), subject.pk),
            lambda: caller.authority.require_can_impersonate(subject),
        )

    def check_who_can_impersonate(self, keys: set[Key]) -> None:
        """Check all actors: disabling a subject must not make it easier to impersonate."""
        for subject in Subject.objects.filter(pk__in=keys):
            for actor in range(len(self.table.people)):
                caller = self.actor(actor)
                is_allowed = self.table.can_impersonate(self.key(caller), subject.pk)
                self.attempt(
                    caller, is_allowed, partial(caller.authority.require_can_impersonate, subject)
                )

    @rule()
    def an_application_is_created(self) -> None:
        self.add(factories.application(f"app-{next(self.numbers)}"))

    @precondition(lambda self: self.has("app"))
    @rule(actor=pick, who=pick)
    def somebody_deletes_an_application(self, actor: int, who: int) -> None:
        caller, subject = self.actor(actor), self.subject(who, "app")
        is_allowed = self.can_change(self.key(caller), "delete", subject)
        if self.attempt(
            caller, is_allowed, lambda: delete_application(caller=caller, application_id=subject.pk)
        ):
            self.forget(subject)

    @rule()
    def a_group_is_created(self) -> None:
        self.add(factories.group(f"group-{next(self.numbers)}"))

    @precondition(lambda self: self.has("group"))
    @rule(actor=pick, which=pick)
    def somebody_deletes_a_group(self, actor: int, which: int) -> None:
        caller, group = self.actor(actor), self.subject(which, "group")
        is_allowed = self.table.allows(self.key(caller), ("delete", "groups"), self.table.root)
        if self.attempt(
            caller, is_allowed, lambda: group_actions.delete_group(caller=caller, group=group)
        ):
            self.forget(group)

    def forget(self, subject: Subject) -> None:
        self.table.rules = {entry for entry in self.table.rules if entry[0] != subject.pk}
        del self.table.people[subject.pk]
        for person in self.table.people.values():
            person.members.discard(subject.pk)

    # Scopes

    @rule(actor=pick, where=pick, by_system=st.sampled_from([False, False, True]))
    def somebody_creates_a_scope(self, actor: int, where: int, by_system: bool) -> None:
        caller = SYSTEM if by_system else self.actor(actor)
        parent = self.scope(where, "tenant", "cluster", "department")
        kind = Scope.CHILD_TYPE[Scope.Type(parent.type)]
        is_allowed = self.table.allows(self.key(caller), ("create", kind), parent.pk)
        name = f"scope-{next(self.numbers)}"
        made = self.attempt(
            caller,
            is_allowed,
            lambda: scope_actions.create_scope(caller=caller, parent=parent, name=name),
        )
        if made:
            self.table.parents[made.pk] = parent.pk

    @rule(actor=pick, which=pick, where=pick, by_system=st.sampled_from([False, False, True]))
    def somebody_moves_a_scope(self, actor: int, which: int, where: int, by_system: bool) -> None:
        caller = SYSTEM if by_system else self.actor(actor)
        scope = self.scope(which, "project", "department")
        assert scope.parent is not None
        above = scope.parent.type
        target = self.scope(where, above)
        self.check_who_can_move(scope, target)
        key = self.key(caller)
        is_allowed = self.table.can_move(key, scope.type, scope.pk, target.pk)
        if self.attempt(
            caller,
            is_allowed,
            lambda: scope_actions.move_scope(caller=caller, scope=scope, target=target),
        ):
            self.gaining(
                key,
                lambda: self.table.parents.update({scope.pk: target.pk}),
                target=target.pk,
                places=self.table.below(scope.pk),
            )

    def check_who_can_move(self, scope: Scope, target: Scope) -> None:
        """Check all actors, because few of them can move anything."""
        source = scope.parent
        assert source is not None
        if source == target:
            return
        for actor in range(len(self.table.people)):
            caller = self.actor(actor)
            is_allowed = self.table.can_move(self.key(caller), scope.type, scope.pk, target.pk)
            ask = partial(caller.authority.require_can_move, source=source, target=target)
            self.attempt(caller, is_allowed, partial(ask, scope))

    @precondition(lambda self: len(self.table.parents) > 4)
    @rule(actor=pick, which=pick)
    def somebody_deletes_a_scope(self, actor: int, which: int) -> None:
        caller, scope = self.actor(actor), self.scope(which, "project", "department")
        is_allowed = self.table.allows(self.key(caller), ("delete", scope.type), scope.pk)
        if self.attempt(
            caller, is_allowed, lambda: scope_actions.delete_scope(caller=caller, scope=scope)
        ):
            del self.table.parents[scope.pk]

    # Invariants after every step

    @invariant()
    def decisions_agree_with_the_model(self) -> None:
        scopes = list(Scope.objects.filter(pk__in=self.table.scopes()))
        said = set()
        for subject in Subject.objects.filter(pk__in=list(self.table.people)):
            authority = authority_of(subject)
            said |= {
                (subject.pk, (action, type_), scope.pk)
                for action, type_ in EVERY
                for scope in scopes
                if authority.allows(action, type_, scope)
            }
        assert said == self.table.everything()

    @invariant()
    def visibility_agrees_with_the_model(self) -> None:
        """Check one subject after each step, in turn: checking all of them takes minutes."""
        if not self.table.people:
            return
        who = self.subject(next(self.turns))
        authority, table = authority_of(who), self.table
        scopes = {scope.path: scope for scope in Scope.objects.filter(pk__in=table.scopes())}
        for permission in EVERY:
            where = {scopes[path].pk for path in authority.scope_roots(*permission)}
            assert where == table.topmost(who.pk, permission)
        assert {scope.pk for scope in authority.visible_scopes()} == {
            scope.pk
            for scope in scopes.values()
            if table.allows(who.pk, ("read", scope.type), scope.pk)
        }
        assert set(authority.visible_rules().living().values_list(*_ENTRY)) == {
            entry
            for entry in table.rules
            if table.allows(who.pk, ("read", "access_rules"), entry[2])
        }
        for kind, type_ in KINDS.items():
            seen = Subject.objects.living().filter(authority.visible_q(type_), type=kind)
            assert {subject.pk for subject in seen} == {
                key
                for key, person in table.people.items()
                if person.kind == kind and table.sees(who.pk, type_, key)
            }
        granting = ("create", "access_rules")
        assert {scope.pk for scope in authority.grantable_scopes()} == {
            key for key in table.scopes() if table.allows(who.pk, granting, key)
        }
        # The table has none of the predefined roles, such as Provisioner.
        grantable = {role.pk for role in authority.grantable_roles()}
        assert grantable & table.roles.keys() == {
            role
            for role in table.roles
            if any(table.can_grant(who.pk, role, key) for key in table.scopes())
        }

    def key(self, caller: Caller) -> Key:
        return caller.subject.pk if caller.subject else EVERYBODY

    def can_change(self, who: Key, action: str, subject: Subject) -> bool:
        """Return whether `who` can change a subject, which must be visible."""
        type_ = KINDS[subject.type]
        return self.table.allows(who, (action, type_), self.table.root) and (
            self.table.sees(who, type_, subject.pk)
        )


@pytest.mark.django_db
def test_no_sequence_of_steps_escalates_privileges() -> None:
    run_state_machine_as_test(
        Organization,
        settings=settings(
            max_examples=sizes.STATE_MACHINE_EXAMPLES,
            stateful_step_count=sizes.STATE_MACHINE_STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
