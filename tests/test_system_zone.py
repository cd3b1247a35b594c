"""The name of the machine's time zone, found where systems keep it, and checked."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.system_zone import system_zone_name

Machine = Callable[[str], None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Sets the time zone that the C library shows times in."""
    with monkeypatch.context() as around:

        def shows(zone: str) -> None:
            around.setenv("TZ", zone)
            time.tzset()

        yield shows
    time.tzset()


def linked(root: Path, zone: str) -> None:
    """Link /etc/localtime as systemd does."""
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/localtime").symlink_to(f"/usr/share/zoneinfo/{zone}")


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("", "UTC"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", ""),
        ("../../etc/passwd", "UTC"),
    ],
)
def test_the_variable_names_it(machine: Machine, tmp_path: Path, variable: str, name: str) -> None:
    """As in tzset(3): rules written out have no name, and what is no zone means UTC."""
    machine(variable)
    linked(tmp_path, "Asia/Tokyo")
    assert system_zone_name({"TZ": variable}, tmp_path) == name


def test_a_variable_may_name_a_link(machine: Machine, tmp_path: Path) -> None:
    """`TZ=:/etc/localtime` is common, and is the zone that the link leads to."""
    machine("Asia/Kolkata")
    linked(tmp_path, "Asia/Kolkata")
    variable = f":{tmp_path / 'etc/localtime'}"
    assert system_zone_name({"TZ": variable}, tmp_path) == "Asia/Kolkata"


def test_the_file_of_the_system_names_it(machine: Machine, tmp_path: Path) -> None:
    """The link comes first, then the text that Debian writes."""
    machine("Europe/Berlin")
    linked(tmp_path, "Europe/Berlin")
    (tmp_path / "etc/timezone").write_text("Asia/Tokyo\n")
    assert system_zone_name({}, tmp_path) == "Europe/Berlin"
    (tmp_path / "etc/localtime").unlink()
    (tmp_path / "etc/timezone").write_text("Europe/Berlin\n")
    assert system_zone_name({}, tmp_path) == "Europe/Berlin"


def test_a_name_with_other_summers_does_not_count(machine: Machine, tmp_path: Path) -> None:
    """A file that was changed while the daemon ran names another zone than the one in force."""
    machine("Europe/Berlin")
    linked(tmp_path, "Africa/Lagos")
    (tmp_path / "etc/timezone").write_bytes(b"\xff")
    assert system_zone_name({}, tmp_path) == ""


def test_a_machine_without_files_is_in_utc(machine: Machine, tmp_path: Path) -> None:
    """As in a small container."""
    machine("UTC")
    assert system_zone_name({}, tmp_path) == "UTC"
