"""The daemon that collects into a database, as its lock tells."""

import os
from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.store import Store
from daemon.store.database.locking_process import SystemdService, service_among, service_of
from daemon.store.database.running_daemon import RunningDaemon, running_daemon
from tests.store.records import epoch


def test_the_lock_tells_who_collects(url: str) -> None:
    """While a store is open, and not a moment longer."""
    store = Store.open(url)
    store.submit(epoch()).result(10)
    try:
        assert running_daemon(url) == RunningDaemon(str(os.getpid()))
    finally:
        store.close()
    assert running_daemon(url) is None


def test_asking_takes_nothing_away(url: str) -> None:
    """A daemon can start right after, and asking while it runs does not end its lock."""
    Store.open(url).close()
    assert running_daemon(url) is None
    store = Store.open(url)
    assert running_daemon(url) == running_daemon(url) == RunningDaemon(str(os.getpid()))
    store.close()


def test_a_database_that_never_was_collected_into_has_no_holder(tmp_path: Path) -> None:
    """No lock file, no daemon."""
    assert running_daemon(f"sqlite:///{tmp_path / 'none.db'}") is None


def test_a_lock_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """The holder is unknown, and not guessed."""
    (tmp_path / "watch.db.lock").symlink_to("watch.db.lock")
    with pytest.raises(StoreError, match="is not a lock file"):
        running_daemon(f"sqlite:///{tmp_path / 'watch.db'}")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("0::/system.slice/marginwatch.service\n", SystemdService("marginwatch")),
        (
            "4:memory:/\n1:name=systemd:/system.slice/marginwatch.service\n",
            SystemdService("marginwatch"),
        ),
        (
            "0::/user.slice/user-7.slice/user@7.service/app.slice/marginwatch@a.service\n",
            SystemdService("marginwatch@a", of_user=True),
        ),
        ("0::/user.slice/user-7.slice/session-3.scope\n", None),
        ("0::/system.slice/cron.service\n", None),
        ("0::/\n", None),
    ],
)
def test_a_service_is_known_by_its_control_group(
    groups: str, expected: SystemdService | None
) -> None:
    """A terminal or cron is none of ours, and cannot reload what was started there."""
    assert service_among(groups) == expected
    assert service_of("none") is None
