"""Decisions agree with a naive model, for random trees and rules."""

import itertools
import uuid
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase

from accessrules.authorization.authority import Authority, authority_of
from accessrules.authorization.grants import Grant
from accessrules.models import AccessRule, GroupMembership, Role, Scope, Subject, at_or_below
from tests import factories, sizes

ACTIONS = {"c": "create", "r": "read", "u": "update", "d": "delete"}
TYPES = ("apps", "access_rules", "project")


@dataclass(frozen=True)
class Spot:
    """A scope without a database row."""

    path: str
    label: str = "a spot"


@st.composite
def trees(draw: st.DrawFn) -> list[int | None]:
    """Return a tree of up to five levels as the parent of each node; the root has None."""
    parents: list[int | None] = [None]
    depths = [0]
    for _ in range(draw(st.integers(0, 14))):
        above = draw(st.sampled_from([n for n, depth in enumerate(depths) if depth < 4]))
        parents.append(above)
        depths.append(depths[above] + 1)
    return parents


def _ancestors(parents: list[int | None], node: int) -> set[int]:
    """Return the ancestors of a node, including itself, by following parents."""
    seen = {node}
    parent = parents[node]
    while parent is not None:
        seen.add(parent)
        parent = parents[parent]
    return seen


def _paths(parents: list[int | None]) -> list[str]:
    paths: list[str] = []
    for node, parent in enumerate(parents):
        label = str(node).zfill(16)
        paths.append(label if parent is None else paths[parent] + label)
    return paths


permissions = st.frozensets(
    st.tuples(st.sampled_from(sorted(ACTIONS.values())), st.sampled_from(TYPES)), max_size=5
)


@given(trees(), st.data())
def test_an_authority_agrees_with_the_naive_model(
    parents: list[int | None], data: st.DataObject
) -> None:
    paths = _paths(parents)
    nodes = st.integers(0, len(parents) - 1)
    rules = data.draw(st.lists(st.tuples(nodes, permissions), max_size=8))
    authority = Authority(Grant(held, paths[node], "x") for node, held in rules)
    for node, (action, type_) in itertools.product(
        range(len(parents)), itertools.product(ACTIONS.values(), TYPES)
    ):
        above = _ancestors(parents, node)
        naive = any(place in above and (action, type_) in held for place, held in rules)
        assert authority.allows(action, type_, Spot(paths[node])) is naive
        assert ((action, type_) in authority.permissions_at(Spot(paths[node]))) is naive


@given(trees(), st.data())
def test_scope_roots_cover_the_same_scopes_without_overlap(
    parents: list[int | None], data: st.DataObject
) -> None:
    paths = _paths(parents)
    chosen = data.draw(st.lists(st.integers(0, len(parents) - 1), max_size=8))
    reads = frozenset({("read", "apps")})
    where = Authority(Grant(reads, paths[n], "x") for n in chosen).scope_roots("read", "apps")
    for path in paths:
        assert path.startswith(where) is path.startswith(tuple(paths[n] for n in chosen))
    assert not any(a != b and a.startswith(b) for a, b in itertools.product(where, where))


class AgainstTheDatabase(PropertyTestCase):
    """The same with database rows: users, groups, and deleted or disabled rules."""

    @settings(max_examples=sizes.DECISION_EXAMPLES, deadline=None)
    @given(trees(), st.data())
    def test_at_or_below_agrees_with_the_naive_ancestors(
        self, parents: list[int | None], data: st.DataObject
    ) -> None:
        scopes = self._scopes(parents)
        asked = data.draw(st.lists(st.integers(0, len(parents) - 1), max_size=4))
        found = Scope.objects.filter(
            at_or_below([scopes[n].path for n in asked]), pk__in=[s.pk for s in scopes]
        )
        naive = {
            scopes[node].pk
            for node in range(len(parents))
            if _ancestors(parents, node) & set(asked)
        }
        assert {scope.pk for scope in found} == naive

    @settings(max_examples=sizes.DECISION_EXAMPLES, deadline=None)
    @given(trees(), st.data())
    def test_decisions_agree_with_the_naive_model(
        self, parents: list[int | None], data: st.DataObject
    ) -> None:
        scopes = self._scopes(parents)
        roles = self._roles(data)
        members = [self._subject(Subject.Type.USER), self._subject(Subject.Type.APP)]
        groups = [self._subject(Subject.Type.GROUP) for _ in range(2)]
        memberships = data.draw(
            st.sets(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=4)
        )
        for group, member in memberships:
            GroupMembership.objects.create(group=groups[group], member=members[member])
        subjects = members + groups
        off = data.draw(st.sets(st.integers(0, 3), max_size=2))
        for number in off:
            subjects[number].enabled = False
            subjects[number].save()
        rules = data.draw(
            st.lists(
                st.tuples(
                    st.integers(0, 3),
                    st.integers(0, len(roles) - 1),
                    st.integers(0, len(scopes) - 1),
                    st.booleans(),
                ),
                max_size=8,
                unique_by=lambda rule: rule[:3],
            )
        )
        for holder, role, scope, deleted in rules:
            made = AccessRule(
                subject=subjects[holder], role=roles[role], scope=scopes[scope], created_by="test"
            )
            made.deleted_at = made.created_at if deleted else None
            made.save()
        for member in (0, 1):
            holders = {member} | {
                2 + group for group, of in memberships if of == member and 2 + group not in off
            }
            authority = authority_of(subjects[member])
            for node, letter, type_ in itertools.product(range(len(scopes)), ACTIONS, TYPES):
                naive = member not in off and any(
                    holder in holders
                    and not deleted
                    and letter in roles[role].permissions.get(type_, "")
                    and scope in _ancestors(parents, node)
                    for holder, role, scope, deleted in rules
                )
                assert authority.allows(ACTIONS[letter], type_, scopes[node]) is naive

    def _scopes(self, parents: list[int | None]) -> list[Scope]:
        """Create the tree below the account; children of projects move up one level."""
        scopes: list[Scope] = [factories.account()]
        for node, parent in enumerate(parents[1:], start=1):
            assert parent is not None
            above = scopes[parent]
            if above.type == Scope.Type.PROJECT:
                parents[node] = above_of = parents[parent]
                assert above_of is not None
                above = scopes[above_of]
            scopes.append(self._below(above, str(uuid.uuid4())))
        return scopes

    def _below(self, parent: Scope, name: str) -> Scope:
        scope = Scope.below(parent, name=name, created_by="test")
        scope.save()
        return scope

    def _roles(self, data: st.DataObject) -> list[Role]:
        letters = st.sets(st.sampled_from("crud")).map("".join)
        return [
            factories.custom_role(f"Role {number}", **held)
            for number, held in enumerate(
                data.draw(
                    st.lists(
                        st.dictionaries(st.sampled_from(TYPES), letters, max_size=3),
                        min_size=1,
                        max_size=3,
                    )
                )
            )
        ]

    def _subject(self, type_: Subject.Type) -> Subject:
        return Subject.objects.create(type=type_, name=str(uuid.uuid4()))
