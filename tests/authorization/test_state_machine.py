"""Whatever happens in whatever order: every answer is the naive one, and nobody gains by it.

People, applications and groups grant, take away, join, leave, disable, and move scopes. After each
step the module is asked everything about everyone; whoever holds something new must have had it
from somebody who held it.
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
from accessrules.authorization.authority import authority_of
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.models import AccessRule, Role, Scope, Subject
from applications.actions import delete_application, set_application_enabled
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
    "looker": {"apps": "r", "users": "r", "groups": "r", "access_rules": "r", "department": "r"},
    "organiser": {"project": "crud", "department": "cud", "access_rules": "rd"},
    "worker": {"workspaces": "cr"},
}
EVERY = [(action, type_) for action in LETTERS.values() for type_ in TYPES]
# What subjects are called as a type of resource.
KINDS = {"app": "apps", "user": "users", "group": "groups"}
_ENTRY = ("subject", "role", "scope")
pick = st.integers(0, 10_000)


class Organization(RuleBasedStateMachine):
    """The product and the naive table, taken through the same steps."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.numbers = count()
        self.looks = count()
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
        # Ada may do everything; Bo a little of each that tempts; the group works in the west.
        everything, _, keeper, _, organiser, worker = sorted(self.table.roles)
        account, west = self.scope(0), Scope.objects.get(name="west")
        for role, name, scope in [
            (everything, "ada@acme.example", account),
            (keeper, "bo@acme.example", account),
            (organiser, "bo@acme.example", account),
            (worker, "ops", west),
        ]:
            subject = Subject.objects.get(name=name)
            self.grant(SYSTEM, Role.objects.get(pk=role), subject, scope)

    # Who and what a step is about: numbers, so that Hypothesis can shrink them.

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

    def attempt(self, caller: Caller, may: bool, act: Callable[[], Any]) -> Any:
        """Do it; return what it returned, or None where it was refused as the table says."""
        try:
            with transaction.atomic():
                done = act() or True
        except Conflict:
            return None
        except (Denied, NotFound):
            assert not may, "refused, although it is allowed"
            return None
        assert may, f"{caller.name} did what is not allowed"
        return done

    def gaining(self, actor: Key, change: Callable[[], None], **moved: Key) -> None:
        """Change the table; whatever anyone gains by it, the actor must have held before."""
        before = self.table.everything()
        held = {(permission, scope) for who, permission, scope in before if who == actor}
        known = self.table.scopes()
        change()
        for who, permission, scope in self.table.everything() - before:
            if actor is EVERYBODY or scope not in known:
                continue
            # What moves comes to where the actor holds it; anything else stays where it was held.
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
    def somebody_takes_away(self, actor: int, which: int, by_system: bool) -> None:
        caller = SYSTEM if by_system else self.actor(actor)
        found = AccessRule.objects.living().filter(role__in=self.table.roles).order_by("pk")
        taken = found[which % len(self.table.rules)]
        entry = (taken.subject_id, taken.role_id, taken.scope_id)
        key = self.key(caller)
        may = all(
            self.table.may(key, (action, "access_rules"), taken.scope_id)
            for action in ("read", "delete")
        )
        if self.attempt(
            caller, may, lambda: rule_actions.delete_access_rule(caller=caller, rule_id=taken.pk)
        ):
            self.table.rules.remove(entry)

    # Groups, and handling the stronger

    @precondition(lambda self: self.has("group"))
    @rule(actor=pick, group=pick, member=pick, joins=st.booleans())
    def somebody_joins_or_leaves(self, actor: int, group: int, member: int, joins: bool) -> None:
        caller, of = self.actor(actor), self.subject(group, "group")
        joining = self.subject(member, "user", "app")
        key, members = self.key(caller), self.table.people[of.pk].members
        may = self.table.may(key, ("update", "groups"), self.table.root)
        if joins:
            may = may and self.table.can_impersonate(key, of.pk)
            if self.attempt(
                caller,
                may,
                lambda: group_actions.add_member(caller=caller, group=of, member=joining),
            ):
                self.gaining(key, lambda: members.add(joining.pk))
        elif joining.pk in members and self.attempt(
            caller,
            may,
            lambda: group_actions.remove_member(caller=caller, group=of, member=joining),
        ):
            members.remove(joining.pk)

    @rule(actor=pick, who=pick, enabled=st.booleans())
    def somebody_switches(self, actor: int, who: int, enabled: bool) -> None:
        caller, subject = self.actor(actor), self.subject(who)
        key, person = self.key(caller), self.table.people[subject.pk]
        if person.enabled == enabled:
            return
        if person.kind == "group":
            may = self.table.may(key, ("update", "groups"), self.table.root)
        else:
            may = self.can_change(key, "update", subject)
        may = may and (not enabled or self.table.can_impersonate(key, subject.pk))
        if self.attempt(caller, may, lambda: self.switch(caller, subject, enabled)):
            self.gaining(key, lambda: setattr(person, "enabled", enabled))
            self.ask_who_may_handle(person.members or {subject.pk})

    def switch(self, caller: Caller, subject: Subject, enabled: bool) -> None:
        if subject.type == Subject.Type.GROUP:
            group_actions.set_group_enabled(caller=caller, group=subject, enabled=enabled)
        elif subject.type == Subject.Type.USER:
            set_user_enabled(caller=caller, user_id=subject.pk, enabled=enabled)
        else:
            set_application_enabled(caller=caller, application_id=subject.pk, enabled=enabled)

    @rule(who=pick, enabled=st.booleans())
    def the_system_switches_a_person(self, who: int, enabled: bool) -> None:
        subject = self.subject(who, "user")
        rule_actions.set_subject_enabled(subject, enabled=enabled)
        self.table.people[subject.pk].enabled = enabled

    @rule(actor=pick, who=pick)
    def somebody_takes_a_credential(self, actor: int, who: int) -> None:
        caller, subject = self.actor(actor), self.subject(who)
        self.attempt(
            caller,
            self.table.can_impersonate(self.key(caller), subject.pk),
            lambda: caller.authority.require_can_impersonate(subject),
        )

    def ask_who_may_handle(self, keys: set[Key]) -> None:
        """Ask of everyone: what is switched off just now must not look weaker than it is."""
        for subject in Subject.objects.filter(pk__in=keys):
            for actor in range(len(self.table.people)):
                caller = self.actor(actor)
                may = self.table.can_impersonate(self.key(caller), subject.pk)
                self.attempt(
                    caller, may, partial(caller.authority.require_can_impersonate, subject)
                )

    @rule()
    def an_application_comes(self) -> None:
        self.add(factories.application(f"app-{next(self.numbers)}"))

    @precondition(lambda self: self.has("app"))
    @rule(actor=pick, who=pick)
    def somebody_deletes_an_application(self, actor: int, who: int) -> None:
        caller, subject = self.actor(actor), self.subject(who, "app")
        may = self.can_change(self.key(caller), "delete", subject)
        if self.attempt(
            caller, may, lambda: delete_application(caller=caller, application_id=subject.pk)
        ):
            self.forget(subject)

    @rule()
    def a_group_comes(self) -> None:
        self.add(factories.group(f"group-{next(self.numbers)}"))

    @precondition(lambda self: self.has("group"))
    @rule(actor=pick, which=pick)
    def somebody_deletes_a_group(self, actor: int, which: int) -> None:
        caller, group = self.actor(actor), self.subject(which, "group")
        may = self.table.may(self.key(caller), ("delete", "groups"), self.table.root)
        if self.attempt(
            caller, may, lambda: group_actions.delete_group(caller=caller, group=group)
        ):
            self.forget(group)

    def forget(self, subject: Subject) -> None:
        self.table.rules = {entry for entry in self.table.rules if entry[0] != subject.pk}
        del self.table.people[subject.pk]
        for person in self.table.people.values():
            person.members.discard(subject.pk)

    # Scopes

    @rule(actor=pick, where=pick, by_system=st.sampled_from([False, False, True]))
    def somebody_makes_a_scope(self, actor: int, where: int, by_system: bool) -> None:
        caller = SYSTEM if by_system else self.actor(actor)
        parent = self.scope(where, "tenant", "cluster", "department")
        kind = Scope.CHILD_TYPE[Scope.Type(parent.type)]
        may = self.table.may(self.key(caller), ("create", kind), parent.pk)
        name = f"scope-{next(self.numbers)}"
        made = self.attempt(
            caller,
            may,
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
        self.ask_who_may_move(scope, target)
        key = self.key(caller)
        may = self.table.can_move(key, scope.type, scope.pk, target.pk)
        if self.attempt(
            caller,
            may,
            lambda: scope_actions.move_scope(caller=caller, scope=scope, target=target),
        ):
            self.gaining(
                key,
                lambda: self.table.parents.update({scope.pk: target.pk}),
                target=target.pk,
                places=self.table.below(scope.pk),
            )

    def ask_who_may_move(self, scope: Scope, target: Scope) -> None:
        """Ask of everyone: few may move anything at all, and fewer may not for what it inherits."""
        source = scope.parent
        assert source is not None
        if source == target:
            return
        for actor in range(len(self.table.people)):
            caller = self.actor(actor)
            may = self.table.can_move(self.key(caller), scope.type, scope.pk, target.pk)
            ask = partial(caller.authority.require_can_move, source=source, target=target)
            self.attempt(caller, may, partial(ask, scope))

    @precondition(lambda self: len(self.table.parents) > 4)
    @rule(actor=pick, which=pick)
    def somebody_deletes_a_scope(self, actor: int, which: int) -> None:
        caller, scope = self.actor(actor), self.scope(which, "project", "department")
        may = self.table.may(self.key(caller), ("delete", scope.type), scope.pk)
        if self.attempt(
            caller, may, lambda: scope_actions.delete_scope(caller=caller, scope=scope)
        ):
            del self.table.parents[scope.pk]

    # What must hold after every step

    @invariant()
    def every_answer_is_the_naive_one(self) -> None:
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
    def somebody_sees_what_the_table_says(self) -> None:
        """Ask one after the other, a new one after each step: asking all each time takes minutes."""
        if not self.table.people:
            return
        who = self.subject(next(self.looks))
        authority, table = authority_of(who), self.table
        scopes = {scope.path: scope for scope in Scope.objects.filter(pk__in=table.scopes())}
        for permission in EVERY:
            where = {scopes[path].pk for path in authority.scope_roots(*permission)}
            assert where == table.topmost(who.pk, permission)
        assert {scope.pk for scope in authority.visible_scopes()} == {
            scope.pk
            for scope in scopes.values()
            if table.may(who.pk, ("read", scope.type), scope.pk)
        }
        assert set(authority.visible_rules().living().values_list(*_ENTRY)) == {
            entry for entry in table.rules if table.may(who.pk, ("read", "access_rules"), entry[2])
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
            key for key in table.scopes() if table.may(who.pk, granting, key)
        }
        assert {role.pk for role in authority.grantable_roles()} == {
            role
            for role in table.roles
            if any(table.can_grant(who.pk, role, key) for key in table.scopes())
        }

    def key(self, caller: Caller) -> Key:
        return caller.subject.pk if caller.subject else EVERYBODY

    def can_change(self, who: Key, action: str, subject: Subject) -> bool:
        """Whether `who` may change an application or a person, which takes seeing it."""
        type_ = KINDS[subject.type]
        return self.table.may(who, (action, type_), self.table.root) and (
            self.table.sees(who, type_, subject.pk)
        )


@pytest.mark.django_db
def test_no_sequence_of_steps_gives_anyone_more_than_was_granted() -> None:
    run_state_machine_as_test(
        Organization,
        settings=settings(
            max_examples=sizes.STATE_MACHINE_EXAMPLES,
            stateful_step_count=sizes.STATE_MACHINE_STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
