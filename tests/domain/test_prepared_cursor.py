"""The cursor of frequent queries behaves like Django's."""

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from runai_access.db.cursors import prepared_cursor

pytestmark = pytest.mark.django_db
ECHO = "SELECT CAST(%s AS text), CAST(%s AS text)"


def test_parameters_are_bound_and_never_part_of_the_statement() -> None:
    for parameters in (("plain", "100 %s"), ("'; --", "?"), ("%%", "ä")):
        with prepared_cursor() as cursor:
            cursor.execute(ECHO, parameters)
            assert cursor.fetchone() == parameters


def test_queries_are_counted_like_any_other(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(2):
        for _ in range(2):
            with prepared_cursor() as cursor:
                cursor.execute(ECHO, ("a", "b"))


def test_errors_are_those_of_django() -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), prepared_cursor() as cursor:
        cursor.execute("SELECT 1 FROM no_such_table", ())


@pytest.mark.django_db(transaction=True)
def test_a_closed_connection_is_opened_again() -> None:
    connection.close()
    with prepared_cursor() as cursor:
        cursor.execute(ECHO, ("a", "b"))
        assert cursor.fetchone() == ("a", "b")
