"""The Users and Groups tables."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import is_password_usable
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import visible_members
from accessrules.console.tables.subjects import SubjectTable, by_first_rule, rule_texts
from accessrules.models import GroupMembership, Subject
from runai_access.accounts.mfa.factors import APP, PASSKEY
from runai_access.accounts.models import Group, User
from runai_access.accounts.policy import visible_memberships
from runai_access.db.expressions import AsStored, BinaryCollation, InArray
from runai_access.lists.export import SpreadsheetTime
from runai_access.lists.markup import badge, markup, muted
from runai_access.lists.sorts import Sort
from runai_access.lists.tables import ListColumn, creation_column, creator_column, update_column

_BY_GROUP = ("group__normalized_name", "group")


@dataclass
class SubjectRelations:
    """The related values of a row in an export."""

    rules: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    members: int = 0


def _status(enabled: bool) -> str:
    return "enabled" if enabled else "disabled"


def _joined(name: str) -> Callable[[SubjectRelations | None], str]:
    return lambda related: "; ".join(getattr(related, name)) if related else ""


def _by_first_group(authority: Authority) -> Sort:
    names = (
        visible_memberships(authority)
        .filter(member=OuterRef("pk"))
        .order_by("group__normalized_name")
        .values("group__normalized_name")
    )
    return Sort(BinaryCollation(Subquery(names[:1])), is_nullable=True)


def _counted(memberships: QuerySet[GroupMembership]) -> Coalesce:
    """Return the number of these memberships of each group."""
    of_group = memberships.filter(group=OuterRef("pk")).order_by().values("group")
    return Coalesce(Subquery(of_group.annotate(number=Count("pk")).values("number")), 0)


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """Return the number of these rows of each user."""
    of_user = rows.filter(user=OuterRef("pk")).order_by().values("user")
    return Coalesce(Subquery(of_user.annotate(number=Count("pk")).values("number")), 0)


# How a user can sign in, and their second factors: numbers of rows of django-allauth.
IDENTITIES = _number_of(SocialAccount.objects.all())
PASSKEYS = _number_of(Authenticator.objects.filter(type=PASSKEY))
APPS = _number_of(Authenticator.objects.filter(type=APP))


def _sign_in_text(password: str, identities: int) -> str:
    ways = ["password"] * is_password_usable(password) + ["single sign-on"] * bool(identities)
    return ", ".join(ways).capitalize()


def _factors_text(passkeys: int, apps: int) -> str:
    passkey = "passkey" if passkeys == 1 else f"{passkeys} passkeys"
    return ", ".join([passkey] * bool(passkeys) + ["authenticator app"] * bool(apps)).capitalize()


def _by_members(authority: Authority) -> Sort:
    return Sort.number(_counted(visible_members(authority)))


def _rules_link(address: str) -> SafeString:
    return markup('href="{}#rules-title"', address)


# A subquery: a join would read the subjects of all applications, too.
_BY_STATUS = replace(
    Sort.flag("enabled"),
    by=Subquery(Subject.objects.filter(pk=OuterRef("pk")).values("enabled")),
)


class UserTable(SubjectTable):
    """The columns of the Users page."""

    user = ListColumn("User", sort=Sort.text("email"), exports=("email",))
    display_name = ListColumn(
        "Name", sort=Sort.text("display_name"), is_shown=False, exports=("display_name",),
    )  # fmt: skip
    groups = ListColumn("Groups", sort=_by_first_group, as_text=_joined("groups"))
    access_rules = ListColumn("Access rule(s)", sort=by_first_rule, as_text=_joined("rules"))
    sign_in = ListColumn(
        "Sign-in", sort=Sort.number(IDENTITIES), is_shown=False,
        exports=("password", IDENTITIES), as_text=_sign_in_text,
    )  # fmt: skip
    factors = ListColumn(
        "Second factors", sort=Sort.number(PASSKEYS + APPS), is_shown=False,
        exports=(PASSKEYS, APPS), as_text=_factors_text,
    )  # fmt: skip
    last_login = ListColumn(
        "Last login", sort=Sort.time("last_login", is_nullable=True),
        exports=(SpreadsheetTime("last_login"),),
    )  # fmt: skip
    created_by = creator_column()
    creation_time = creation_column()
    last_updated = update_column(is_shown=False)
    status = ListColumn(
        "Status", sort=_BY_STATUS, is_shown=False,
        exports=("subject__enabled",), as_text=_status,
    )  # fmt: skip

    name = "users"
    model = User
    default_sort = "-creation_time"

    @classmethod
    def complete(cls, queryset: QuerySet[User], context: Authority) -> Any:
        memberships = visible_memberships(context).select_related("group").order_by(*_BY_GROUP)
        groups = Prefetch("subject__group_memberships", memberships, to_attr="visible_memberships")
        counts = {"identity_count": IDENTITIES, "passkey_count": PASSKEYS, "app_count": APPS}
        return queryset.annotate(**counts).prefetch_related(groups)

    @classmethod
    def related(cls, keys: list[Any], context: Authority) -> dict[Any, SubjectRelations]:
        related: defaultdict[Any, SubjectRelations] = defaultdict(SubjectRelations)
        for key, texts in rule_texts(keys, context).items():
            related[key].rules = texts
        groups = visible_memberships(context).filter(InArray("member", keys)).order_by(*_BY_GROUP)
        for key, name in groups.values_list(AsStored("member"), "group__name"):
            related[key].groups.append(name)
        return related

    def render_user(self, record: User) -> str:
        """Link the email to the user's page; add badges for disabled users and temporary passwords."""
        cell = self.name_cell(record, record.email)
        if not record.must_choose_password:
            return cell
        label = badge("Password expired" if record.is_too_late else "Temporary password")
        return markup("{}\n{}", cell, label)

    def render_display_name(self, record: User) -> str:
        return record.display_name or muted("None")

    def render_sign_in(self, record: Any) -> str:
        return _sign_in_text(record.password, record.identity_count) or muted("None")

    def render_factors(self, record: Any) -> str:
        return _factors_text(record.passkey_count, record.app_count) or muted("None")

    def render_groups(self, record: User) -> str:
        names = ", ".join(self.groups_of(record))
        if not names:
            return muted("None")
        return markup('<span class="clip" title="{}">{}</span>', names, names)

    def render_access_rules(self, record: User) -> str:
        """Show the user's own rules, with a link to all rules that apply to the user."""
        return self.rules_cell(record, record.email, _rules_link(self.address_of(record)))

    @cached_property
    def history_type(self) -> str:
        return "user" if self.authority.reads_audit_log else ""

    def groups_of(self, user: User) -> list[str]:
        """Return the names of the user's visible groups."""
        memberships = user.subject.visible_memberships  # type: ignore[attr-defined]  # prefetched
        return [membership.group.name for membership in memberships]


class GroupTable(SubjectTable):
    """The columns of the Groups page."""

    group = ListColumn("Group", sort=Sort.text("normalized_name"), exports=("name",))
    members = ListColumn(
        "Members", sort=_by_members,
        as_text=lambda related: related.members if related else 0,
    )  # fmt: skip
    access_rules = ListColumn(
        "Access rule(s)", sort=by_first_rule,
        as_text=_joined("rules"),
    )  # fmt: skip
    status = ListColumn(
        "Status", sort=Sort.flag("enabled"), exports=("enabled",),
        as_text=_status,
    )  # fmt: skip

    name = "groups"
    model = Group
    default_sort = "group"

    @classmethod
    def complete(cls, queryset: QuerySet[Group], context: Authority) -> Any:
        return queryset.annotate(member_count=_counted(visible_members(context)))

    @classmethod
    def related(cls, keys: list[Any], context: Authority) -> dict[Any, SubjectRelations]:
        related: defaultdict[Any, SubjectRelations] = defaultdict(SubjectRelations)
        for key, texts in rule_texts(keys, context).items():
            related[key].rules = texts
        members = visible_members(context).filter(InArray("group", keys)).order_by()
        counted = members.values(key=AsStored("group")).annotate(number=Count("pk"))
        for key, number in counted.values_list("key", "number"):
            related[key].members = number
        return related

    def render_group(self, record: Group) -> str:
        return self.name_cell(record, record.name)

    def render_members(self, record: Any) -> str:
        return str(record.member_count) if record.member_count else muted("None")

    def render_access_rules(self, record: Group) -> str:
        return self.rules_cell(record, record.name, _rules_link(self.address_of(record)))

    @cached_property
    def history_type(self) -> str:
        return "group" if self.authority.reads_audit_log else ""
