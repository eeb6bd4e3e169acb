"""Choosing members of a group: people and applications, as groups have no groups."""

from functools import cached_property

from accessrules.models import Subject, SubjectQuerySet
from accessrules.subject_picker import SubjectPicker


class MemberPicker(SubjectPicker):
    """A picker of subjects without groups."""

    types = [choice for choice in Subject.Type.choices if choice[0] != Subject.Type.GROUP]

    @cached_property
    def chosen(self) -> list[Subject]:
        return [subject for subject in super().chosen if subject.type != Subject.Type.GROUP]

    @cached_property
    def _offered(self) -> SubjectQuerySet:
        return super()._offered.exclude(type=Subject.Type.GROUP)

    def _named(self) -> list[Subject]:
        return [subject for subject in super()._named() if subject.type != Subject.Type.GROUP]
