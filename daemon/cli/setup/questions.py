"""The questions of `marginwatch init`, answered on a terminal or from a pipe.

Each answer is checked at once, and asked for again while it is bad. Nothing is written here;
`daemon.config` makes rules.toml and its tests of the answers.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from daemon.cli.output.terminal import STDOUT, echo
from daemon.cli.setup import answers
from daemon.config import Answers, ChannelAnswer, secret_references
from daemon.config.parse import values
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Surroundings
from daemon.errors import MarginwatchError
from daemon.hidden import HiddenMapping, Secret
from daemon.text.numbers import format_amount
from daemon.text.printable import printable
from daemon.types import Answer, MissReason, NoAnswer

T = TypeVar("T")

ReadBalance = Callable[[tuple[Secret, Secret]], Answer | NoAnswer]
"""Asks the exchange about the account of an API key and its secret key."""

_NAMES = {"tgram": "telegram", "mailto": "email", "mailtos": "email"}
_REFUSED = frozenset({MissReason.AUTH, MissReason.PERMISSION})
_CENT = Decimal("0.01")
_SMALLEST = Decimal(5)
"""The smallest balance, in USDT, from which limits are proposed."""

_ABOUT_KEYS = """
Where are its keys? env:NAME, file:PATH or credential:NAME; or `type`, to type one in, hidden: it
goes into a file of its own that only you can read.
"""
_ABOUT_CHANNELS = """
How can you be reached? \
Any address that Apprise knows (https://appriseit.com/services/), for instance
  tgram://{env:TELEGRAM_TOKEN}/{env:TELEGRAM_CHAT}
  mailtos://{env:SMTP_USER}:{env:SMTP_PASSWORD}@smtp.example.com?to=you@example.com
A token may stand in a file: `marginwatch secret telegram-token`, then {file:telegram-token}.
Best give two of different kinds: one may fail. An empty answer ends the list.
"""
_ABOUT_LOUD = "\nWhich may ring at night? The phone must let them: docs/loud.md says how.\n"
_ABOUT_HEARTBEAT = (
    "\nA daemon that is down warns nobody; a monitor does whose address it fetches while all is"
    " well.\n"
)


@dataclass(frozen=True, slots=True)
class Interview:
    """All that was answered."""

    answers: Answers
    secrets: HiddenMapping[str, Secret]
    """Typed secrets, by the name of the file in which each is to be."""


def ask(environ: Mapping[str, str], path: Path, read_balance: ReadBalance) -> Interview:
    """Ask all questions about a rules.toml that will stand at `path`.

    Raises:
        MarginwatchError: when the answers end before the questions do.

    """
    around = Surroundings(HiddenMapping(environ), path.absolute().parent)
    try:
        return _Interviewer(around, read_balance).ask()
    except click.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            raise MarginwatchError(
                "the answers ended before the questions did: nothing is written"
            ) from None
        raise


class _Interviewer:
    def __init__(self, around: Surroundings, read_balance: ReadBalance) -> None:
        self._around = around
        self._read_balance = read_balance
        self._secrets: dict[str, Secret] = {}

    def ask(self) -> Interview:
        account = prompt("Name of the account", values.name, "main")
        api_key, secret_key, margin = self._account()
        channels = self._channels()
        echo()
        warning, critical = _limits(margin)
        timezone = prompt(
            "Time zone of messages, such as Europe/Berlin; empty is the system's", answers.zone, ""
        )
        report = prompt("A daily report at; `none` is none", answers.time_of_day, "08:00")
        heartbeat = self._heartbeat()
        told = Answers(
            account,
            api_key,
            secret_key,
            channels,
            warning,
            critical,
            timezone,
            heartbeat,
            report,
        )
        return Interview(told, HiddenMapping(self._secrets))

    def _account(self) -> tuple[str, str, Decimal | None]:
        """The two keys, and the margin that the exchange tells; None if it tells none.

        Keys that the exchange refuses are asked for again; the same ones once more are kept.
        """
        STDOUT.write(_ABOUT_KEYS)
        refused: tuple[Secret, Secret] | None = None
        while True:
            written = (
                self._key("API key", "COINW_API_KEY", "coinw-key"),
                self._key("Secret key", "COINW_SECRET_KEY", "coinw-secret"),
            )
            keys = self._looked_up(written)
            if keys is None:
                return *written, None
            answer = self._read_balance(keys)
            if isinstance(answer, Answer):
                margin = answer.balances.available_margin
                shown = "unknown" if margin is None else format_amount(margin)
                echo(f"  CoinW answers: available_margin {shown}")
                return *written, margin
            echo(f"  CoinW gives no balance: {answer.detail}")
            if answer.reason not in _REFUSED or keys == refused:
                return *written, None
            echo("  Give other keys, or the same ones once more to keep them.")
            refused = keys

    def _looked_up(self, written: tuple[str, str]) -> tuple[Secret, Secret] | None:
        """The keys themselves; None while one cannot be looked up."""
        try:
            first, second = map(self._secret, written)
        except MistakeError:
            return None
        return first, second

    def _secret(self, written: str) -> Secret:
        typed = self._secrets.get(written.removeprefix("file:"))
        return typed or secret_references.key(written, self._around).text

    def _key(self, question: str, variable: str, name: str) -> str:
        """A reference to a key: as answered, or to the file in which the typed one will be."""
        default = f"env:{variable}" if variable in self._around.environ else answers.TYPED
        check = self._twice(lambda written: secret_references.key(written, self._around))
        answer = prompt(question, lambda raw: check(answers.where(raw)), default)
        if answer != answers.TYPED:
            return answer
        typed = prompt(
            f"{question}, typed", partial(answers.typed, self._around), None, hidden=True
        )
        free = _free(name, lambda each: (self._around.folder / each).exists())
        self._secrets[free] = Secret(typed)
        return f"file:{free}"

    def _channels(self) -> tuple[ChannelAnswer, ...]:
        STDOUT.write(_ABOUT_CHANNELS)
        found: dict[str, str] = {}
        check = self._twice(lambda url: secret_references.url(url, self._around))

        def read(raw: object) -> str:
            parse = answers.channel if found else answers.first_channel
            return check(parse(self._around, raw))

        while url := prompt(f"Channel {len(found) + 1}", read, ""):
            found[_named(url, set(found))] = url
        STDOUT.write(_ABOUT_LOUD)
        names = tuple(found)
        rings = next((each for each in names if not found[each].startswith("mailto")), names[0])
        loud = prompt("Names; `none` is none", partial(answers.loud, names), rings)
        return tuple(ChannelAnswer(name, url, name in loud) for name, url in found.items())

    def _heartbeat(self) -> str:
        STDOUT.write(_ABOUT_HEARTBEAT)
        check = self._twice(lambda url: secret_references.url(url, self._around))
        return prompt(
            "Heartbeat, such as https://hc-ping.com/your-uuid; empty is none",
            lambda raw: check(answers.monitor(self._around, raw)),
            "",
        )

    def _twice(self, look_up: Callable[[str], object]) -> Callable[[str], str]:
        """A check that what is named is there; the same answer once more is kept.

        What the daemon will have, such as systemd's credentials, may be missing here.
        """
        last = ""

        def check(written: str) -> str:
            nonlocal last
            try:
                if written not in {"", answers.TYPED, last}:
                    look_up(written)
            except MistakeError as mistake:
                last = written
                raise MistakeError(
                    f"{mistake}; correct it, or give the same answer again to keep it"
                ) from None
            return written

        return check


def prompt(
    question: str, meant: Callable[[object], T], default: str | None, *, hidden: bool = False
) -> T:
    """Ask until the answer is valid."""

    def checked(answer: str) -> T:
        try:
            return meant(answer.strip())
        except MistakeError as mistake:
            raise click.UsageError(printable(str(mistake))) from None

    hide = hidden and sys.stdin.isatty()
    answer: T = click.prompt(
        question, default, value_proc=checked, show_default=bool(default), hide_input=hide
    )
    return answer


def _limits(margin: Decimal | None) -> tuple[Decimal, Decimal]:
    """The levels of the warning and of the critical alert; proposed are 20 % and 10 % of it."""
    proposed = Decimal(100)
    if margin is not None and margin >= _SMALLEST:
        proposed = (margin / 5).quantize(_CENT)
        echo("Proposed are 20 % and 10 % of the balance.")
    warning = prompt(
        "Warn when available_margin falls below, in USDT", answers.amount, f"{_plain(proposed)}"
    )
    critical = prompt("Critical below", partial(answers.below, warning), f"{_plain(warning / 2)}")
    return warning, critical


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _named(url: str, taken: set[str]) -> str:
    """A free name for the channel, after its service."""
    scheme = url.partition("://")[0]
    plain = scheme if scheme.isalnum() and scheme != url else "channel"
    return _free(_NAMES.get(plain, plain), taken.__contains__)


def _free(name: str, is_taken: Callable[[str], bool]) -> str:
    """The name, or the name with the first number behind it that is not taken."""
    return next(
        each for each in (name, *(f"{name}-{n}" for n in range(2, 999))) if not is_taken(each)
    )
