"""The column `extra` of a reading, limited in size when it is read.

Earlier versions kept up to 1 MiB of unknown fields with every reading; a page of those would take
gigabytes. Of such a row only the digits of amounts are read: they are part of the judged values.
The database itself takes them out.
"""

import json
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from daemon.store.codec import FIELDS, MOST_DIGITS
from daemon.store.columns import Json
from daemon.store.schema import snapshots

MOST = 4_096
"""Most characters of `extra` that are read unchanged."""

_LONG = MOST_DIGITS + 1
"""Characters read of a longer amount, enough to see that it is none."""

_DAMAGED = json.dumps(FIELDS)
"""Replacement for invalid JSON: no object, but with the names that a reader looks for."""


class bounded_extra(FunctionElement[Any]):  # noqa: N801 -- it is written as a function of SQL
    """`extra`, or of a large one only the digits of amounts; no JSON object if unreadable."""

    type = Json
    name = "bounded_extra"
    inherit_cache = True


@compiles(bounded_extra)
def _plain(*_: object, **__: object) -> str:
    """The SQL for a statement printed without a database."""
    return "bounded_extra()"


@compiles(bounded_extra, "sqlite")
def _sqlite(*_: object, **__: object) -> str:
    digits = ", ".join(
        f"'{name}', substr(json_extract(extra, '$.{name}'), 1, {_LONG})" for name in FIELDS
    )
    # A merge with nothing removes the names that have no digits.
    return (
        f"CASE WHEN extra IS NULL OR length(extra) <= {MOST} THEN extra WHEN json_valid(extra) THEN"
        f" json_patch('{{}}', json_object({digits})) ELSE '{_DAMAGED}' END"
    )


@compiles(bounded_extra, "postgresql")
def _postgresql(*_: object, **__: object) -> str:
    digits = ", ".join(f"'{name}', left(extra ->> '{name}', {_LONG})" for name in FIELDS)
    # A NUL character, which `json` keeps as it was escaped, cannot be taken out.
    return (
        f"CASE WHEN extra IS NULL OR length(extra::text) <= {MOST} OR strpos(extra::text,"
        f" '\\u0000') > 0 THEN extra ELSE json_strip_nulls(json_build_object({digits})) END"
    )


def snapshot_rows() -> "Select[Any]":
    """Whole rows of `snapshots`, as `codec.reading` takes them."""
    columns = [column for column in snapshots.c if column is not snapshots.c.extra]
    return select(*columns, bounded_extra().label("extra"))
