"""The picker of group members: users and applications, because groups can't be nested."""

from django.http import QueryDict
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority
from accessrules.console.pickers.subjects import SubjectPicker
from accessrules.models import Subject, SubjectQuerySet


class MemberPicker(SubjectPicker):
    """A picker of subjects that are not in `group` yet."""

    types = [choice for choice in Subject.Type.choices if choice[0] != Subject.Type.GROUP]

    def __init__(self, authority: Authority, given: QueryDict, *, group: Subject) -> None:
        super().__init__(authority, given)
        self._group = group

    @cached_property
    def chosen(self) -> list[Subject]:
        return [subject for subject in super().chosen if subject.type != Subject.Type.GROUP]

    @cached_property
    def _selectable(self) -> SubjectQuerySet:
        others = super()._selectable.exclude(group_memberships__group=self._group)
        return others.exclude(type=Subject.Type.GROUP)

    def _named(self) -> list[Subject]:
        return [subject for subject in super()._named() if subject.type != Subject.Type.GROUP]
