"""The distinct values of an indexed column that has few of them."""

from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.expressions import Func, RawSQL
from django.db.models.lookups import GreaterThan


def distinct_values(rows: QuerySet[Any], by: F | Func, most: int) -> list[Any]:
    """Return the first `most` values of a column, or of an expression with an index, in its order.

    A skip scan: looks up one value after the other in the index, so the cost depends on the number of
    values only.
    """
    by_value = rows.order_by(by).annotate(value=by).values_list("value")
    first, parameters = by_value[:1].query.sql_with_params()
    later = by_value.filter(GreaterThan(by, RawSQL("found.value", ())))
    following, more = later[:1].query.sql_with_params()
    sql = f"""WITH RECURSIVE found(value, number) AS (
            SELECT first.*, 1 FROM ({first}) first
            UNION ALL
            SELECT ({following}), number + 1 FROM found
            WHERE value IS NOT NULL AND number < {int(most)}
        ) SELECT value FROM found WHERE value IS NOT NULL"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, *more])
        return [value for (value,) in cursor.fetchall()]
