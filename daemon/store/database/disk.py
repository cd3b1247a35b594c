"""Free space on the database's disk."""

import shutil
from decimal import Decimal
from pathlib import Path

from daemon.store.database import engine as engines


def free(url: str) -> Decimal | None:
    """The free share, to a thousandth; None on another machine's disk, or when it is unknown."""
    parsed = engines.parse(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    try:
        usage = shutil.disk_usage(Path(str(parsed.database)).absolute().parent)
    except OSError:
        return None
    return Decimal(usage.free * 1_000 // usage.total).scaleb(-3)
