"""S2, promise 9: no token of a service's URL is shown, whatever its receiver does."""

import asyncio
import io
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon import notifiers
from daemon.cli import commands
from daemon.cli.session import CommandSession
from daemon.clock import SystemClock
from daemon.log import setup
from daemon.notifiers.apprise import AppriseNotifier, plugins
from daemon.redaction import Redactor
from daemon.store import write_once
from daemon.store.operations import TEST, Claim, MessageKey, RecordAttempt
from daemon.types import AttemptResult, Message, Severity
from tests.notifiers import every_service
from tests.notifiers.echoing import FAILURES, TUNNELS, Echoing
from tests.service.lives import rows

KINDS = every_service.kinds()
MESSAGE = Message("CRITICAL low-margin", "available_margin is 42 < 100", Severity.CRITICAL)
PATIENCE = 8_000

SHOWN = 3
"""Attempts that are also recorded and shown by commands: a command costs ten attempts."""

CONFIGURATION = """
[daemon]
database = "sqlite:///{folder}/mw.db"
web = ""
timezone = "UTC"
[[accounts]]
name = "main"
api_key = "a-key-of-an-account"
secret_key = "a-secret-of-an-account"
rest_url = "http://127.0.0.1:9"
ws_url = ""
[[channels]]
name = "desk"
url = "json://127.0.0.1:9/"
"""


class Tell(logging.Handler):
    """Says in our log what Apprise says, and why: more than the daemon ever does of it."""

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger("marginwatch").error(record.getMessage(), exc_info=sys.exc_info()[1])


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echoing]:
    with pytest.MonkeyPatch.context() as environ, Echoing().serving() as there:
        for name, value in there.environment(tmp_path_factory.mktemp("hostile")).items():
            environ.setenv(name, value)
        yield there


@pytest.fixture
def record(tmp_path: Path) -> Path:
    (tmp_path / "rules.toml").write_text(CONFIGURATION.format(folder=tmp_path))
    (tmp_path / "rules.toml").chmod(0o600)
    assert command(tmp_path, "db", "upgrade")
    return tmp_path


def command(folder: Path, *arguments: str) -> str:
    session = CommandSession(environ={"HOME": str(folder)}, path=folder / "rules.toml")
    return (
        CliRunner().invoke(commands, list(arguments), obj=session, prog_name="marginwatch").output
    )


def recorded(folder: Path, attempted: AttemptResult) -> str:
    """The recorded attempt, once the database holds it."""
    key = MessageKey("desk", SystemClock().now(), TEST)
    write_once(f"sqlite:///{folder}/mw.db", Claim(key, (), MESSAGE))
    write_once(f"sqlite:///{folder}/mw.db", RecordAttempt(key, SystemClock().now(), attempted, {}))
    latest = ("SELECT detail FROM attempts", "SELECT title, body FROM messages")
    return repr([rows(folder / "mw.db", f"{each} ORDER BY id DESC LIMIT 1") for each in latest])


def shown(secret: str, text: str) -> bool:
    """Whether a text shows a secret, in any case and encoding.

    A short one is searched as a word: numbers contain a few digits by chance.
    """
    spellings = {secret, unquote(secret), unquote(unquote(secret))}
    return any(_is_in(each.lower(), text.lower()) for each in spellings if len(each.strip()) >= 4)


def _is_in(secret: str, text: str) -> bool:
    if len(secret) >= 8:
        return secret in text
    return re.search(rf"(?<![0-9a-z]){re.escape(secret)}(?![0-9a-z])", text) is not None


def told(url: str, said: str) -> list[str]:
    """The secrets of a URL that can be read in what was said."""
    return [secret for secret in notifiers.secrets(url) if shown(secret, said)]


def tried(url: str, style: str) -> tuple[AttemptResult, str]:
    """One attempt; how it ended, and what the log says of it at its most talkative."""
    stream, told = io.StringIO(), Tell()
    setup(
        stream,
        style="json" if style == "json" else "human",
        level="debug",
        redactor=Redactor(notifiers.secrets(url)),
    )
    logging.getLogger("apprise").addHandler(told)
    try:
        attempted = asyncio.run(AppriseNotifier(url, SystemClock(), PATIENCE).send(MESSAGE))
    finally:
        logging.getLogger("apprise").removeHandler(told)
    logging.getLogger("marginwatch").warning("no message reached desk: %s", attempted.detail)
    return attempted, stream.getvalue()


@pytest.mark.fuzz
@pytest.mark.no_cover
@pytest.mark.usefixtures("restored_logging")
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_s2_no_part_of_any_url_is_told_whatever_its_receiver_does(
    receiver: Echoing, record: Path
) -> None:
    """S2: not in the log or its tracebacks, the database, a message, or the output of commands."""
    attempts: dict[str, AttemptResult] = {}

    @settings(
        max_examples=min(settings().max_examples, 5_000),
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(data=st.data())
    def by_any_service(data: st.DataObject) -> None:
        scheme = data.draw(st.sampled_from(sorted(KINDS)))
        url = data.draw(every_service.urls(KINDS[scheme], scheme, receiver.place))
        receiver.failure = data.draw(st.sampled_from(sorted(FAILURES)))
        receiver.tunnel = data.draw(st.sampled_from(TUNNELS))
        plugin, refusal = plugins.load(url)
        said = f"{refusal} {notifiers.caution(url)}"
        if plugin is not None:
            attempted, log = tried(url, data.draw(st.sampled_from(["human", "json"])))
            said += attempted.detail + log
            attempts[url] = attempted
        assert told(url, said) == []

    by_any_service()
    assert attempts
    for url, attempted in list(attempts.items())[-SHOWN:]:
        assert told(url, recorded(record, attempted) + command(record, "status")) == []
