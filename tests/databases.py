"""Less work for each of the many databases that tests open in their own process.

Alembic makes the first empty database of each kind, and its statements make the next ones. What
SQLAlchemy compiled for one engine serves all engines of the same driver. Programs that tests start
do all of this work themselves.
"""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event

from daemon.store.database import engine, migrate

run_alembic = migrate._run

_executed: dict[str, list[tuple[str, Any]]] = {}
"""Statements and parameters by which Alembic made an empty database, by dialect."""


class _CompiledStatements(dict[Any, Any]):
    """Compiled statements by driver; SQLAlchemy's key begins with the dialect of one engine."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].driver, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0].driver, *key[1:]), compiled)


_compiled = _CompiledStatements()


def share_work(patch: pytest.MonkeyPatch) -> None:
    """Let the databases of this process share what each of them would do in the same way."""
    patch.setattr(migrate, "_run", _migrate)
    patch.setattr(engine, "create_engine", _engine)


def _engine(*arguments: Any, **options: Any) -> Engine:
    shared = {"compiled_cache": _compiled}
    return create_engine(*arguments, execution_options=shared, **options)


def _migrate(connection: Connection) -> None:
    """Bring a database up to date, as `run_alembic` does."""
    if migrate.revision(connection) is not None:
        run_alembic(connection)
    elif connection.dialect.name in _executed:
        for statement, parameters in _executed[connection.dialect.name]:
            connection.exec_driver_sql(statement, parameters).close()
    else:
        _executed[connection.dialect.name] = _recorded(connection)


def _recorded(connection: Connection) -> list[tuple[str, Any]]:
    """The statements that Alembic executes in an empty database."""
    statements: list[tuple[str, Any]] = []

    def record(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", record)
    run_alembic(connection)
    event.remove(connection, "before_cursor_execute", record)
    return statements
