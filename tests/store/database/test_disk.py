"""Free space of the disk that holds the database (SEMANTICS D7)."""

from pathlib import Path

import pytest

from daemon.store.database import disk


def test_d7_room_is_that_of_the_databases_folder(tmp_path: Path) -> None:
    """A share between nothing and all, also before the file exists."""
    share = disk.free(f"sqlite:///{tmp_path / 'm.db'}")
    assert share is not None
    assert 0 <= share <= 1


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://mw@db.example/mw", "sqlite:////no/such/folder/m.db"]
)
def test_d7_another_machines_disk_is_not_known(url: str) -> None:
    """Neither is one that cannot be asked."""
    assert disk.free(url) is None
