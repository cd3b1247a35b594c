"""The values of a rules.toml, from which the rest of the program is built.

Each key stands once, as a field with its type, the function that reads it, and its default; one
without a default must be written. `parse.tables` reads tables into these classes, `loading` fills
in secrets and what follows from other keys. Fields without a reader are no keys.
docs/configuration.md explains each key. Durations are milliseconds, money and fractions exact
decimals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from daemon.alerts.mutes import DAYS, NO_MUTES, Mutes
from daemon.config.parse import values
from daemon.config.parse.values import Web
from daemon.hidden import Secret
from daemon.rules.rule import Rule
from daemon.types import DIRECT, HOUR, MINUTE, SECOND, Limit, Millis, Route

_PORTS = {"https": 443, "http": 80}

SHORTEST_INTERVAL: Millis = 400
"""The shortest polling interval: the exchange allows five calls in two seconds per user."""

NO_SECRET = Secret("")
"""Default of a secret that is not given."""

Name = Annotated[str, values.name]
Names = Annotated[tuple[str, ...], values.list_of(values.reference)]
WrittenSecret = Annotated[Secret, values.never_shown(values.secret)]
"""A secret, or a reference to it; the secret itself once the configuration is loaded."""
SecretAddress = Annotated[Secret, values.never_shown(values.hidden)]
"""An address that may hold a secret; "" is none."""


@dataclass(frozen=True, slots=True)
class Daemon:
    database: WrittenSecret = Secret("sqlite:///marginwatch.db")
    """Where everything is recorded. An SQLAlchemy URL; secret, as it may hold a password."""
    every: Annotated[Millis, values.longer_than(SHORTEST_INTERVAL)] = 5 * SECOND
    """How often each account is read."""
    web: Annotated[Web | None, values.optional(values.web, empty=None)] = Web("127.0.0.1", 8787)
    """Page and metrics. None is off."""
    timezone: Annotated[ZoneInfo | None, values.optional(values.zone, empty=None)] = None
    """The time zone of messages, tables and the log. None is that of the system."""
    heartbeat: SecretAddress = NO_SECRET
    """An address that is fetched once a minute."""
    timeout: Annotated[Millis, values.longer_than(1)] = 10 * SECOND
    """How long one call to the exchange may take."""
    max_jump: Annotated[Decimal | None, values.optional(values.percent, empty=None)] = None
    """The largest move of `available_margin` that is judged at once. A fraction; None is off."""
    proxy: SecretAddress = NO_SECRET
    """The proxy of all calls to exchanges. As written: the routes of accounts follow from it."""
    ca_file: Annotated[str, values.text] = ""
    """A file of certificates (PEM) that are trusted. An absolute path; "" is the default ones."""


@dataclass(frozen=True, slots=True)
class Account:
    name: Name
    """Yours to choose."""
    api_key: WrittenSecret
    """A reference or the text itself. Once loaded, the text."""
    secret_key: WrittenSecret
    """A reference or the text itself. Once loaded, the text."""
    exchange: Annotated[str, values.text] = "coinw"
    """Its exchange."""
    every: Annotated[Millis, values.optional(values.longer_than(SHORTEST_INTERVAL), empty=0)] = 0
    """How often it is read. 0 stands for that of [daemon], which `loading` puts in its place."""
    user_id: Annotated[str, values.text] = ""
    """Learned from the first answer. Empty until then."""
    rest_url: Annotated[str, values.url("https", "http")] = "https://api.coinw.com"
    """Where its balances are read."""
    ws_url: Annotated[str, values.optional(values.url("wss", "ws"), empty="")] = (
        "wss://ws.futurescw.com/perpum"
    )
    """The push stream. Empty is REST only."""
    proxy: SecretAddress = NO_SECRET
    """As in `[daemon]`, for this account alone. As written: the routes follow from it."""
    rest_route: Route = DIRECT
    """The route of calls to `rest_url`."""
    ws_route: Route = DIRECT
    """The route of calls to `ws_url`."""

    @property
    def host(self) -> str:
        """Host and port of its calls, whose limits they share; the same for every spelling."""
        parts = urlsplit(self.rest_url.lower())
        name, port = (parts.hostname or "").rstrip("."), parts.port
        name = f"[{name}]" if ":" in name else name
        return name if port in {None, _PORTS.get(parts.scheme)} else f"{name}:{port}"


@dataclass(frozen=True, slots=True)
class Channel:
    name: Name
    """Rules refer to it."""
    url: WrittenSecret
    """Any Apprise URL. Once loaded, with its references filled in."""
    fallback: Annotated[str, values.reference] = ""
    """A channel that is told instead when this one fails."""
    fallback_after: Annotated[Millis, values.duration] = 2 * MINUTE
    """How long it must have failed."""
    group_wait: Annotated[Millis, values.duration] = SECOND
    """The time within which notifications become one message."""
    loud: Annotated[bool, values.flag] = False
    """It may ring at night."""
    service: str = ""
    """The scheme of the URL (`tgram`), known without secrets; "" if the whole URL is a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenMute:
    """One entry of `[[mutes]]`; `build.mutes` makes a `MuteWindow` of it."""

    name: Name
    """Rules refer to it."""
    days: Annotated[tuple[str, ...], values.days] = DAYS
    """The days on which the window begins."""
    between: Annotated[tuple[str, ...], values.between]
    """The times of day between which it lasts."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is sent whenever it is due."""

    name: Name
    """Stands in its title."""
    cron: Annotated[str, values.cron]
    """The times at which it is due."""
    channels: Names = ()
    """Names of channels. Empty is all."""


SpanOrOff = Annotated[Millis | None, values.unless_off(values.limit_of_system(0))]
PositiveOrOff = Annotated[Millis | None, values.unless_off(values.limit_of_system(1))]
StepOrOff = Annotated[
    Millis | None, values.unless_off(values.limit_of_system(values.SMALLEST_STEP))
]


@dataclass(frozen=True, slots=True)
class System:
    """Limits at which the built-in system rules fire; None is off."""

    no_readings: PositiveOrOff = 2 * MINUTE
    """An account has not been read for this long."""
    key_refused: SpanOrOff = 0
    """The exchange has refused an account's key for this long."""
    rate_limited: SpanOrOff = 2 * MINUTE
    """The exchange has turned calls for an account away for this long."""
    answers_unusable: SpanOrOff = MINUTE
    """The exchange has answered without balances for this long."""
    account_not_judged: PositiveOrOff = 2 * MINUTE
    """Readings of an account have not been judged for this long."""
    channel_failing: PositiveOrOff = 10 * MINUTE
    """A channel has failed for this long."""
    clock_stepped: StepOrOff = 250
    """This machine's clock was set by this much."""
    clock_skew: PositiveOrOff = 30 * SECOND
    """This machine's clock and the exchange's differ by this much."""
    exchange_frozen: PositiveOrOff = 30 * SECOND
    """The exchange answers, but its own time has stood still for this long."""
    push_contradicted: Annotated[int | None, values.unless_off(values.count)] = 3
    """A field of what is pushed differs so many times in a row."""
    rule_unknown: PositiveOrOff = 15 * MINUTE
    """A rule could not be judged for this long."""
    database_failing: PositiveOrOff = 30 * SECOND
    """The database has refused to write for this long."""
    disk_full: Annotated[Decimal | None, values.unless_off(values.percent)] = Decimal("0.05")
    """Less than this of the disk is free."""
    upkeep_failing: PositiveOrOff = HOUR
    """The database cannot be kept in order."""
    channels: Names = ()
    """Names of channels. Empty is all."""


CallLimit = Annotated[Limit, values.limit]


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """Call limits of each exchange host: for this machine, per user, and per user for assets."""

    # CoinW's strictest reading is 60 per 10 s and user, 80 per address, 5 per 2 s for getUserAssets
    # (its pages "Precautions" and "Get Futures Account Assets"). Defaults stay below the first two.
    host: CallLimit = Limit(50, 10 * SECOND)
    """All calls of this machine to one host together."""
    user: CallLimit = Limit(50, 10 * SECOND)
    """Calls of one user of the exchange."""
    assets: CallLimit = Limit(5, 2 * SECOND)
    """Calls of one user for balances."""

    @property
    def longest(self) -> Millis:
        """The longest window, in ms: an older call counts in none of them."""
        return max(self.host.per, self.user.per, self.assets.per)

    @property
    def halved(self) -> "BudgetLimits":
        """The limits left after the exchange complained (SEMANTICS B2)."""
        return BudgetLimits(self.host.halved, self.user.halved, self.assets.halved)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole rules.toml, ready to run."""

    path: Path
    daemon: Daemon
    accounts: tuple[Account, ...]
    channels: tuple[Channel, ...] = ()
    rules: tuple[Rule, ...] = ()
    """The rules written in the file."""
    mutes: Mutes = NO_MUTES
    reports: tuple[Report, ...] = ()
    system: System = System()
    system_rules: tuple[Rule, ...] = ()
    """Built-in rules about accounts."""
    daemon_rules: tuple[Rule, ...] = ()
    """Built-in rules about the daemon itself; they watch no account."""
    budget: BudgetLimits = BudgetLimits()
    mistakes: tuple[str, ...] = field(default=(), compare=False)
    """Mistakes of the file, where a command goes on in spite of them; see `partial`."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """Allowed but probably unintended settings, one sentence each, with its place; for `check`."""
    exposed: tuple[str, ...] = field(default=(), compare=False)
    """The warnings about files whose secrets every user of this machine can read."""
    replaceable: tuple[str, ...] = field(default=(), compare=False)
    """The warnings about ways in which other users could replace the database."""
    holds_secrets: bool = field(default=False, compare=False)
    """Whether the file itself holds a secret; then only its owner should be able to read it."""
    hidden: frozenset[Secret] = field(default=frozenset(), compare=False)
    """Further secret texts for `secrets`: the parts of which URLs were built."""

    @property
    def hosts(self) -> dict[str, str]:
        """The host of each account's calls, by account."""
        return {account.name: account.host for account in self.accounts}

    def users(self, recorded: Mapping[str, str]) -> dict[str, str]:
        """The user of each account, from `user_id` or else `recorded`; "" when unknown."""
        return {**recorded, **{each.name: each.user_id for each in self.accounts if each.user_id}}

    @property
    def account_rules(self) -> tuple[Rule, ...]:
        """The rules judged on accounts, written or built in."""
        return self.rules + self.system_rules

    def secrets(self) -> frozenset[str]:
        """Every text that must not appear in a log, for the redacting filter."""
        return frozenset(text for text in self._texts() if len(text) >= SHORTEST_SECRET)

    def _texts(self) -> Iterator[str]:
        yield from (each.reveal() for each in self.hidden)
        for account in self.accounts:
            yield account.api_key.reveal()
            yield account.secret_key.reveal()
        for channel in self.channels:
            yield channel.url.reveal()
        yield self.daemon.heartbeat.reveal()


SHORTEST_SECRET = 4
"""Shorter texts are not hidden: that would only remove digits from unrelated numbers."""

SYSTEM_RULES = frozenset(one.name.replace("_", "-") for one in fields(System)) - {"channels"}
"""Names of the built-in system rules; allowed wherever a rule is named."""
