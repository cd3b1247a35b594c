"""Lines on stderr, for people and machines: no secret in them, no failure twice."""

import base64
import io
import json
import logging
import re
import sys
import warnings
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote, quote_plus
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.clock import Clock
from daemon.log import IN_SENTENCE, INDENT, FailureLog, Style, fields, setup
from daemon.redaction import Redactor
from daemon.types import SECOND
from tests.fakes import NOON, ManualClock
from tests.hostile import HOSTILE, raw

SECRETS = st.text(min_size=4, max_size=30).filter(lambda text: len(text.strip()) >= 4)
AROUND = st.text(max_size=20)
pytestmark = pytest.mark.usefixtures("restored_logging")

LOGGERS = st.sampled_from(["daemon.app", "aiohttp.client", "apprise", "sqlalchemy.engine"])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(
    style: Style, stream: io.StringIO | None = None, level: str = "info", *secrets: str
) -> io.StringIO:
    """A stream on which everything is logged."""
    stream = stream or io.StringIO()
    setup(stream, style=style, level=level, redactor=Redactor(secrets))
    return stream


def raised(text: str) -> Exception:
    """An exception with a traceback."""
    try:
        raise ValueError(text)  # noqa: TRY301 - it is made to be caught
    except ValueError as error:
        return error


def test_people_read_short_lines_on_a_terminal() -> None:
    """Time, level where it is not info, message, fields; values with spaces in quotes."""
    stream = lines("auto", Terminal())
    logging.getLogger("daemon.x").info("3 accounts")
    logging.getLogger("daemon.x").warning(
        "no %s", "answer", extra={"account": "main", "detail": "timed out"}
    )
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 3 accounts", first)
    assert re.fullmatch(r'\d\d:\d\d:\d\d warning no answer account=main detail="timed out"', second)


def test_a_file_carries_the_date() -> None:
    """Away from a terminal a time without its day and its zone would say too little."""
    stream = lines("human")
    logging.getLogger("daemon.x").info("ready")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4} ready\n", stream.getvalue())


def test_people_read_times_in_the_configured_zone() -> None:
    """With its offset in a file, from the call on and until the next; json stays in UTC."""
    stream, machine = io.StringIO(), io.StringIO()
    handler = setup(stream, style="human", redactor=Redactor())
    line = "2026-01-01 {} ready\n"
    for zone, time in (("Europe/Berlin", "12:00:00+0100"), ("Asia/Hong_Kong", "19:00:00+0800")):
        handler.use_zone(ZoneInfo(zone))
        handler.handle(at_noon())
        assert stream.getvalue() == line.format(time)
        stream.seek(0)
        stream.truncate()
    handler = setup(machine, style="json", redactor=Redactor())
    handler.use_zone(ZoneInfo("Europe/Berlin"))
    handler.handle(at_noon())
    assert json.loads(machine.getvalue())["time"] == "2026-01-01T11:00:00.000+00:00"


def at_noon() -> logging.LogRecord:
    """A line of 2026-01-01, 11:00 UTC."""
    record = logging.LogRecord("daemon.x", logging.INFO, "", 0, "ready", None, None)
    record.created = NOON / SECOND
    return record


def test_machines_read_one_object_a_line() -> None:
    """Time with offset, level, logger, message, then fields; exact numbers; own keys stay."""
    stream = lines("json")
    extra = {"seq": 7, "margin": Decimal("1.10"), "time": "03:12", "gone": None}
    logging.getLogger("daemon.x").warning("low\nmargin", extra=extra)
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", said.pop("time"))
    expected = {"level": "warning", "logger": "daemon.x", "message": "low\nmargin", "seq": 7}
    assert said == expected | {"margin": "1.10", "time_": "03:12", "gone": None}


def test_what_the_sentence_says_is_a_field_for_machines_only() -> None:
    """Instants have the offset that they were given."""
    at = datetime(2026, 1, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    extra = {"account": "main", IN_SENTENCE: {"from": at, "seconds": 7}}
    human = lines("human")
    logging.getLogger("daemon.x").info("away", extra=extra)
    machine = lines("json")
    logging.getLogger("daemon.x").info("away", extra=extra)
    assert human.getvalue().partition(" away")[2] == " account=main\n"
    said = json.loads(machine.getvalue())
    assert {key: said[key] for key in ("account", "from", "seconds")} == {
        "account": "main",
        "from": "2026-01-01T12:00:00.000+01:00",
        "seconds": 7,
    }
    assert IN_SENTENCE not in said


def test_people_do_not_read_a_name_twice() -> None:
    """A field whose name the sentence has is left out for people; numbers and json stay."""
    extra = {"rule": "low-margin", "account": "main", "seconds": 5, "value": "5"}
    styles: tuple[Style, ...] = ("human", "json")
    human, machine = io.StringIO(), io.StringIO()
    for stream, style in zip((human, machine), styles, strict=True):
        lines(style, stream)
        logging.getLogger("daemon.x").info("low-margin firing for 5 s", extra=extra)
        logging.getLogger("daemon.x").info("low-margin-2 firing", extra={"rule": "low-margin"})
    first, second = (line.partition(" low")[2] for line in human.getvalue().splitlines())
    assert first == "-margin firing for 5 s account=main seconds=5 value=5"
    assert second == "-margin-2 firing rule=low-margin"
    assert {key: json.loads(machine.getvalue().splitlines()[0])[key] for key in extra} == extra


def test_a_traceback_follows_its_line() -> None:
    """An unexpected exception is shown whole, its secrets blanked, in both styles."""
    styles: tuple[Style, ...] = ("human", "json")
    for style in styles:
        stream = lines(style, None, "info", "hunter2!")
        logging.getLogger("daemon.x").error("unexpected", exc_info=raised("key hunter2! is wrong"))
        assert "ValueError: key *** is wrong" in stream.getvalue()
        assert "in raised" in stream.getvalue()
        assert "hunter2" not in stream.getvalue()


def test_control_characters_are_shown_not_obeyed() -> None:
    """Text of an exchange or a receiver can neither colour a terminal nor forge a line."""
    stream = lines("human")
    logging.getLogger("daemon.x").info("said %s", "a\n\x1b[31mb", extra={"detail": "c\nd"})
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("said a\\x0a\\x1b[31mb detail=c\\x0ad\n")


def test_a_traceback_obeys_nothing_and_forges_no_line() -> None:
    """S13: neither its text nor its lines pass for the log's own, in either style."""
    styles: tuple[Style, ...] = ("human", "json")
    for style in styles:
        stream = lines(style)
        logging.getLogger("daemon.x").error(
            "x %s", HOSTILE, exc_info=raised(HOSTILE), extra={"detail": HOSTILE}
        )
        written = stream.getvalue()
        assert raw(written) == []
        own = [line for line in written.splitlines() if not line.startswith(INDENT)]
        assert len(own) == 1
        assert "2J\\x" in written or "2J\\u" in written


def test_a_secret_with_a_hidden_character_is_blanked_as_it_is_shown() -> None:
    """Promise 9: also where a library has escaped it before it is logged."""
    styles: tuple[Style, ...] = ("human", "json")
    for style in styles:
        stream = lines(style, None, "info", "hun\u202eter2!")
        shown = "hun\\u202eter2!"
        logging.getLogger("daemon.x").error("hun\u202eter2! %s", shown)
        assert "ter2" not in stream.getvalue()


def test_third_parties_speak_from_warning_on() -> None:
    """Below WARNING some of them print tokens, so they are silent even when we debug."""
    stream = lines("human", None, "debug")
    for name in (
        "aiohttp.access",
        "apscheduler.executors",
        "sqlalchemy.engine",
        "some.library",
        "asyncio",
    ):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble")
    logging.getLogger("daemon.x").debug("detail")
    assert [line.split(" ", 2)[2] for line in stream.getvalue().splitlines()] == [
        "warning trouble"
    ] * 5 + ["debug detail"]


QUIET = [
    "apprise",
    "http.client",
    "requests",
    "requests_oauthlib.oauth1",
    "smtplib",
    "urllib3.connectionpool",
]


@pytest.mark.parametrize("style", ["human", "json"])
@pytest.mark.parametrize("name", QUIET)
def test_s2_libraries_that_call_receivers_say_nothing(name: str, style: Style) -> None:
    """S2: their lines name addresses, known to us or not; our lines report the end of a call."""
    stream = lines(style, None, "debug")
    logging.getLogger(name).setLevel(logging.DEBUG)  # as a library may do for itself
    for level in (logging.DEBUG, logging.WARNING, logging.CRITICAL):
        logging.getLogger(name).log(
            level, "Failed to parse headers (url=http://127.0.0.1/hooks/tok3nabc123)"
        )
    assert stream.getvalue() == ""


@pytest.mark.parametrize("style", ["human", "json"])
@pytest.mark.parametrize("name", ["some.library", "aiohttp.client", "asyncio", "py.warnings"])
def test_s2_no_library_shows_an_address(name: str, style: Style) -> None:
    """S2: neither in its sentence nor in a traceback; an unknown library gets no traceback."""
    stream = lines(style)
    address = "https://hooks.example.com:80/a/tok3n?x=tok3n"
    logging.getLogger(name).error(
        "cannot reach %s, giving up", address, exc_info=raised(f"at '{address}'")
    )
    said = stream.getvalue()
    assert "cannot reach https://*** giving up" in said
    assert ("ValueError: at 'https://***'" in said) == (name != "some.library")
    assert ("Traceback" in said) == (name != "some.library")
    assert "ValueError" in said
    assert "tok3n" not in said


@pytest.mark.parametrize("style", ["human", "json"])
def test_s2_our_own_tracebacks_show_no_address(style: Style) -> None:
    """S2: a library's exception under our call may hold the whole address in another spelling."""
    stream = lines(style)
    logging.getLogger("marginwatch").error(
        "unexpected", exc_info=raised("no route (http://127.0.0.1:80/a/tok3n)")
    )
    assert "tok3n" not in stream.getvalue()
    assert "ValueError: no route (http://***" in stream.getvalue()


def test_the_scheduler_does_not_repeat_what_its_listener_tells() -> None:
    """APScheduler warns of every slot that found its account busy; we tell that once."""
    stream = lines("human", None, "debug")
    logging.getLogger("apscheduler.scheduler").warning("skipped")
    assert stream.getvalue() == ""


def test_the_level_holds_for_third_parties_too() -> None:
    """At level error nobody warns."""
    stream = lines("human", None, "error")
    logging.getLogger("sqlalchemy").warning("trouble")
    assert stream.getvalue() == ""


def test_a_second_set_up_replaces_the_first() -> None:
    """Nothing is written twice."""
    first, second = lines("human"), lines("json")
    logging.getLogger("daemon.x").info("once")
    assert (first.getvalue(), second.getvalue().count("once")) == ("", 1)


def test_python_warnings_become_lines() -> None:
    """Python's warnings reach the log like everything else."""
    stream = lines("human", None, "info", "hunter2!")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("about hunter2!", stacklevel=1)
    assert "about ***" in stream.getvalue()


def test_a_line_that_cannot_be_formatted_shows_no_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Promise 9: the standard library would print the raw arguments; we only say where it was."""
    stream = io.StringIO()
    handler = setup(stream, redactor=Redactor())
    handler.handle(
        logging.LogRecord("daemon.x", logging.INFO, "x.py", 7, "%d accounts", ("hunter2!",), None)
    )
    assert stream.getvalue() == "a log line of daemon.x:7 could not be written\n"
    assert capsys.readouterr() == ("", "")


def test_a_closed_stream_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal that is gone does not stop the daemon."""
    stream = lines("human")
    stream.close()
    logging.getLogger("daemon.x").info("into the void")
    assert capsys.readouterr() == ("", "")


@given(
    secret=SECRETS,
    before=AROUND,
    after=AROUND,
    name=LOGGERS,
    style=st.sampled_from(["human", "json"]),
)
def test_no_secret_survives_anywhere(
    secret: str, before: str, after: str, name: str, style: Style
) -> None:
    """Promise 9: a secret is blanked in message, argument, field, exception and traceback."""
    stream = lines(style, io.StringIO(), "debug", secret)
    text = f"{before}{secret}{after}"
    extra = {"detail": text, "inner": [text]}
    logging.getLogger(name).error(text.replace("%", "%%"), extra=extra, exc_info=raised(text))
    logging.getLogger(name).warning("%s", text)
    assert secret not in stream.getvalue()
    assert msgspec.json.encode(secret).decode()[1:-1] not in stream.getvalue()


WRITTEN = [
    str,
    str.lower,
    lambda secret: quote(secret, safe="!#$%&'()*+,/:;=?@[]~").lower(),
    lambda secret: quote(secret, safe="!$&'()*+,;=:@/?"),
    lambda secret: repr(secret.encode())[2:-1],
    lambda secret: quote(secret, safe=""),
    quote,
    quote_plus,
    lambda secret: quote(secret, safe="").lower() if secret.islower() else quote(secret, safe=""),
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: repr(secret)[1:-1],
    lambda secret: secret.encode().hex(),
    lambda secret: secret.encode().hex().upper(),
    lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    lambda secret: base64.b64encode(secret.encode()).decode(),
    lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
]


@given(secret=SECRETS, before=AROUND, after=AROUND, write=st.sampled_from(WRITTEN))
def test_every_spelling_is_blanked(secret: str, before: str, after: str, write: type[str]) -> None:
    """Promise 9: percent-encoded, escaped, hex and base64 spellings are blanked too."""
    try:
        spelled = write(secret)
    except UnicodeEncodeError:
        return
    if len(spelled) >= 4:
        assert spelled not in Redactor([secret]).redact(f"{before}{spelled}{after}")


@given(
    secret=st.text("abcdefghijkLMNOP0123456789-_", min_size=12, max_size=40),
    user=st.text("abc", max_size=8),
)
def test_basic_authorization_does_not_show_a_secret(secret: str, user: str) -> None:
    """Promise 9: base64 of a text that holds the secret holds no readable rest of it."""
    shown = Redactor([secret]).redact(base64.b64encode(f"{user}:{secret}".encode()).decode())
    rest = shown.replace("***", "")
    assert len(rest) <= len(base64.b64encode(f"{user}:".encode())) + 8


def test_an_encoded_secret_is_known_decoded_too() -> None:
    """A secret given as it stands in a URL is blanked as the service sees it."""
    assert Redactor(["p%40ss%2Fword"]).redact("login p@ss/word") == "login ***"


def test_every_line_of_a_long_secret_is_blanked() -> None:
    """A key of several lines is blanked line by line."""
    assert Redactor(["first-line-x\nsecond-line-y\n"]).redact("a second-line-y b") == "a *** b"


def test_overlapping_secrets_leave_nothing() -> None:
    """A blank that completes another secret is blanked again."""
    assert Redactor(["aaaa", "b***"]).redact("baaaa") == "***"


def test_short_texts_are_no_secrets() -> None:
    """Below four characters blanking would only make lines unreadable."""
    assert Redactor(["", "abc"]).redact("abcdef") == "abcdef"


def test_secrets_can_be_added_later() -> None:
    """A reload that reads a new token blanks it from then on."""
    redactor = Redactor()
    redactor.add("hunter2!")
    redactor.add("hunter2!")
    assert redactor.redact("hunter2!") == "***"


def test_fields_are_the_extra_of_a_record() -> None:
    """The standard library's own attributes are not fields."""
    record = logging.makeLogRecord({"msg": "x", "account": "main"})
    assert fields(record) == {"account": "main"}


class Recorder(logging.Logger):
    """A logger that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__("recorder", logging.DEBUG)
        self.said: list[tuple[str, str, dict[str, object]]] = []

    def handle(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelname, record.getMessage(), fields(record)))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_failure_is_logged_once_and_its_end_once(clock: ManualClock) -> None:
    """A failure is one line at its beginning and one at its end, with duration and count."""
    recorder = Recorder()
    episodes = FailureLog(recorder, clock)
    for _ in range(12):
        episodes.failed(("poll", "main"), "no answer", reason="timeout", account="main")
        await clock.advance(5_000)
    episodes.ended(("poll", "main"), "answers again", account="main")
    episodes.ended(("poll", "main"), "answers again", account="main")
    assert recorder.said == [
        ("WARNING", "no answer", {"reason": "timeout", "account": "main"}),
        ("INFO", "answers again", {"lasted": "1m", "failures": 12, "account": "main"}),
    ]


def test_another_reason_is_logged_too(clock: Clock) -> None:
    """Within an episode each reason is told once, however they alternate."""
    recorder = Recorder()
    episodes = FailureLog(recorder, clock)
    for reason in ("timeout", "network", "timeout", "network", ""):
        episodes.failed("poll", "no answer", reason=reason)
    assert [said[2] for said in recorder.said] == [{"reason": "timeout"}, {"reason": "network"}, {}]


def test_episodes_do_not_mix(clock: Clock) -> None:
    """One account's failure neither hides nor ends another's."""
    recorder = Recorder()
    episodes = FailureLog(recorder, clock)
    episodes.failed("a", "no answer")
    episodes.failed("b", "no answer")
    episodes.ended("a", "back")
    assert [said[1] for said in recorder.said] == ["no answer", "no answer", "back"]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (0, "0ms"),
        (250, "250ms"),
        (42_000, "42s"),
        (90_500, "1m30s"),
        (7_500_000, "2h5m"),
        (93_784_000, "26h3m"),
    ],
)
async def test_durations_are_short(clock: ManualClock, span: int, text: str) -> None:
    """A duration is written as in rules.toml, in its two largest units."""
    recorder = Recorder()
    episodes = FailureLog(recorder, clock)
    episodes.failed("a", "no answer")
    await clock.advance(span)
    episodes.ended("a", "back")
    assert recorder.said[-1][2]["lasted"] == text


def test_stderr_is_left_alone_by_import() -> None:
    """Importing the module configures nothing."""
    assert "daemon.log" in sys.modules
    assert not any(
        type(handler).__module__ == "daemon.log" for handler in logging.getLogger().handlers
    )
