"""Frequent queries behave like those of Django's cursor."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from runai_access.db.cursors import fetch_row

pytestmark = pytest.mark.django_db
ECHO = "SELECT CAST(%s AS text), CAST(%s AS text)"


def test_parameters_are_bound_and_never_part_of_the_statement() -> None:
    for parameters in (("plain", "100 %s"), ("'; --", "?"), ("%%", "ä")):
        assert fetch_row(ECHO, parameters) == parameters


def test_only_the_first_row_is_returned() -> None:
    assert fetch_row("SELECT 1 UNION SELECT 2 ORDER BY 1", ()) == (1,)
    assert fetch_row("SELECT 1 WHERE 1 = 2", ()) is None


def test_queries_are_counted_like_any_other(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(2):
        for _ in range(2):
            assert fetch_row(ECHO, ("a", "b")) == ("a", "b")


def test_wrappers_see_the_statement_and_its_parameters() -> None:
    seen: list[tuple[str, Any]] = []

    def observe(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(observe):
        assert fetch_row(ECHO, ("a", "b")) == ("a", "b")
    assert seen == [(ECHO, ("a", "b"))]


def test_errors_are_those_of_django() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        fetch_row("SELECT 1 FROM no_such_table", ())


def test_a_broken_transaction_runs_no_query() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            fetch_row("SELECT 1", ())


@pytest.mark.django_db(transaction=True)
def test_a_closed_connection_is_opened_again() -> None:
    connection.close()
    assert fetch_row(ECHO, ("a", "b")) == ("a", "b")
