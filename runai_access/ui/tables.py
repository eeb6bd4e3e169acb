"""The table that every list page builds on: sorting, paging and what the template asks."""

from typing import Any, Self

import django_tables2 as tables
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django_tables2.utils import OrderBy

PAGE_SIZE = 20


class NearestPaginator(Paginator):  # type: ignore[type-arg]  # not generic when it runs
    """Answers with the nearest page there is, so that an old bookmark still shows something."""

    def page(self, number: int | str) -> "Page[Any]":
        try:
            return super().page(number)
        except PageNotAnInteger:
            return super().page(1)
        except EmptyPage:
            return super().page(self.num_pages)


class ListTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    """A table whose state is its address: `sort` and `page`; what it can't read it leaves out.

    A subclass names its columns, each with an `order_by` that ends in the primary key, and the
    `default_sort`.
    """

    default_sort = ""

    class Meta:
        order_by_field = "sort"
        page_field = "page"

    @classmethod
    def for_request(cls, request: HttpRequest, queryset: QuerySet[Any], **options: Any) -> Self:
        """Return the page of `queryset` that the request's address asks for."""
        sort = request.GET.get("sort", "")
        known = OrderBy(sort).bare in cls.base_columns
        table = cls(queryset, order_by=sort if known else cls.default_sort, **options)
        table.paginate(NearestPaginator, per_page=PAGE_SIZE, page=request.GET.get("page", 1))
        return table
