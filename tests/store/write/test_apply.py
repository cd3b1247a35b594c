"""Numbers of names, and inserts that skip taken keys (daemon/store/write/apply.py, rows.py)."""

import pytest

from daemon.store import upgrade
from daemon.store.database.engine import parse, writing
from daemon.store.database.failures import Unfit
from daemon.store.operations import SetUserId
from daemon.store.rows import AccountIds, insert
from daemon.store.schema import accounts
from daemon.store.write.apply import apply
from tests.store.records import ACCOUNT, epoch


def test_an_insert_tells_whether_it_did(url: str) -> None:
    """The first one does, the second one finds the key taken."""
    upgrade(url)
    engine = writing(parse(url))
    with engine.begin() as connection:
        assert [insert(connection, accounts, name="a", exchange="coinw") for _ in range(2)] == [
            True,
            False,
        ]
    engine.dispose()


def test_a_number_taken_back_is_forgotten(url: str) -> None:
    """After a rollback an account that it took back has no number any more."""
    upgrade(url)
    engine, ids = writing(parse(url)), AccountIds()
    with engine.connect() as connection:
        apply(connection, ids, epoch())
        assert ids(connection, ACCOUNT) is not None
        connection.rollback()
        ids.forget()
        with pytest.raises(Unfit, match="knows no account main"):
            ids(connection, ACCOUNT)
    engine.dispose()


def test_the_daemon_itself_has_no_number(url: str) -> None:
    """D7: rows of the daemon have NULL as account."""
    upgrade(url)
    engine = writing(parse(url))
    with engine.connect() as connection:
        assert AccountIds()(connection, "") is None
    engine.dispose()


def test_identifying_an_unknown_account_does_nothing(url: str) -> None:
    """Its user is learned when the account is recorded."""
    upgrade(url)
    engine = writing(parse(url))
    with engine.begin() as connection:
        apply(connection, AccountIds(), SetUserId("ghost", "1"))
        assert connection.execute(accounts.select()).all() == []
    engine.dispose()
