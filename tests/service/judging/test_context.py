"""What the account owners and the self monitor share."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.store.write.silence_commands import Quiet
from daemon.types import MINUTE, Silence
from tests.service.lives import Life
from tests.values import T0, answer, rule

LOW, FINE = answer(available_margin="90"), answer()
SILENCE = Silence(0, False, "low", "main", "", T0, T0 + MINUTE, "moving funds")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "marginwatch"]


async def test_silences_and_acks_are_logged_once_when_they_first_matter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With the reason that was given, for however many readings they hold."""
    caplog.set_level(logging.INFO)
    url = f"sqlite:///{tmp_path / 'm.db'}"
    async with Life(url, ["main"], [rule()]) as life:
        await life.tell({"main": LOW})
        code = life.owners["main"]._state.alerts["low"].code
        quiet = Quiet(url)
        quiet.add(SILENCE, T0)
        await life.tell({"main": LOW})
        await life.tell({"main": LOW})
        quiet.add(replace(SILENCE, code=code, comment=""), T0)
        quiet.add(Silence(0, True, "low", "main", code, T0, None, ""), T0)
        await life.tell({"main": LOW})
    assert told(caplog)[1:] == [  # behind the line about the first reading
        "silence 1 holds back low on main (moving funds)",
        f"silence 2 holds back alert {code}",
        f"alert {code} is acknowledged",
    ]
