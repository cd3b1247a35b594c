"""The only place that knows SQL. `Store` is for the daemon that collects, `History` for readers."""

from daemon.store.database.migrate import upgrade
from daemon.store.database.preflight import open_database_files, preflight
from daemon.store.history import History
from daemon.store.store import Store, write_once
from daemon.store.write.writer import FaultInjection, Hooks

__all__ = [
    "FaultInjection",
    "History",
    "Hooks",
    "Store",
    "open_database_files",
    "preflight",
    "upgrade",
    "write_once",
]
