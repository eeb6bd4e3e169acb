"""The distinct values of an indexed column that has few of them."""

from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.lookups import GreaterThan

from runai_access.db.expressions import BinaryCollation


def distinct_values(rows: QuerySet[Any], column: str, most: int) -> list[str] | None:
    """Return the values of a text column; None if there are more than `most`.

    A skip scan: looks up one value after the other in the column's binary index, so the cost depends
    on the number of values only.
    """
    value = BinaryCollation(F(column))
    by_value = rows.order_by(value).values_list(column)
    first, parameters = by_value[:1].query.sql_with_params()
    later = rows.filter(GreaterThan(value, RawSQL("found.value", ())))
    following, more = later.order_by(value).values_list(column)[:1].query.sql_with_params()
    sql = f"""WITH RECURSIVE found(value, number) AS (
            SELECT first.*, 1 FROM ({first}) first
            UNION ALL
            SELECT ({following}), number + 1 FROM found
            WHERE value IS NOT NULL AND number <= {int(most)}
        ) SELECT value FROM found WHERE value IS NOT NULL"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, *more])
        values = [value for (value,) in cursor.fetchall()]
    return values if len(values) <= most else None
