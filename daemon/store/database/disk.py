"""How much room the database's disk has left."""

import shutil
from decimal import Decimal
from pathlib import Path

from daemon.store.database import engine as engines


def free(url: str) -> Decimal | None:
    """The share that is free, to a thousandth; None where the disk is another machine's, or cannot
    be asked.
    """
    parsed = engines.parse(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    try:
        usage = shutil.disk_usage(Path(str(parsed.database)).absolute().parent)
    except OSError:
        return None
    return Decimal(usage.free * 1_000 // usage.total).scaleb(-3)
