"""The tests' own footing: what is missing is skipped visibly, or fails where it was demanded."""

import pytest
import sqlalchemy as sa

from tests import parts


def test_a_missing_part_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that the machine lacks skips the test, saying which."""
    monkeypatch.setitem(parts.PROGRAMS, "absent", "no-such-program")
    with pytest.raises(pytest.skip.Exception, match="no absent"):
        parts.require("absent", {})


def test_a_demanded_part_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that MARGINWATCH_REQUIRE names must be there."""
    monkeypatch.setitem(parts.PROGRAMS, "absent", "no-such-program")
    with pytest.raises(pytest.fail.Exception, match="MARGINWATCH_REQUIRE names it"):
        parts.require("absent", {"MARGINWATCH_REQUIRE": "systemd,absent"})


def test_a_private_postgresql_answers(postgresql_url: str) -> None:
    """The private cluster takes connections and lets its owner create things."""
    engine = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert (
            connection.scalar(sa.text("select rolsuper from pg_roles where rolname = 'owner'"))
            is True
        )
