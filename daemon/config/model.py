"""The values of a rules.toml, from which the rest of the program is built.

Every value is parsed, resolved and checked; this module does not know how the file is written.
DESIGN §5 explains each key. Durations are milliseconds, money and fractions exact decimals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.hidden import Secret
from daemon.rules.rule import Rule
from daemon.types import DIRECT, HOUR, MINUTE, SECOND, Limit, Millis, Route

_PORTS = {"https": 443, "http": 80}

NO_SECRET = Secret("")
"""Default of a secret that is not given."""


@dataclass(frozen=True, slots=True)
class Web:
    """The address of the page."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Daemon:
    database: Secret
    """An SQLAlchemy URL with an absolute SQLite path. Secret, as it may hold a password."""
    every: Millis = 5 * SECOND
    web: Web | None = Web("127.0.0.1", 8787)
    """None is off."""
    timezone: ZoneInfo | None = None
    """None is the system's time zone, as for `datetime.astimezone(None)`."""
    heartbeat: Secret = NO_SECRET
    timeout: Millis = 10 * SECOND
    max_jump: Decimal | None = None
    """A fraction: 0.5 is 50 %. None is off."""
    ca_file: str = ""
    """Absolute path of the trusted authorities; "" uses those of the machine and the libraries."""


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    api_key: Secret
    secret_key: Secret
    exchange: str = "coinw"
    every: Millis = 5 * SECOND
    """The effective value: the account's own, or that of [daemon]."""
    user_id: str = ""
    """Empty until the first answer gives it."""
    rest_url: str = "https://api.coinw.com"
    ws_url: str = "wss://ws.futurescw.com/perpum"
    """Empty is REST only."""
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
    name: str
    url: Secret
    """The Apprise URL with its references filled in."""
    fallback: str = ""
    fallback_after: Millis = 2 * MINUTE
    group_wait: Millis = SECOND
    service: str = ""
    """The scheme of the URL (`tgram`), known without secrets; "" if the whole URL is a secret."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is sent whenever it is due."""

    name: str
    cron: str
    channels: tuple[str, ...] = ()
    """Empty is all."""


@dataclass(frozen=True, slots=True)
class System:
    """Limits at which the built-in system rules fire; None is off."""

    no_readings: Millis | None = 2 * MINUTE
    key_refused: Millis | None = 0
    rate_limited: Millis | None = 2 * MINUTE
    answers_unusable: Millis | None = MINUTE
    account_not_judged: Millis | None = 2 * MINUTE
    channel_failing: Millis | None = 10 * MINUTE
    clock_stepped: Millis | None = 250
    clock_skew: Millis | None = 30 * SECOND
    exchange_frozen: Millis | None = 30 * SECOND
    push_contradicted: int | None = 3
    rule_unknown: Millis | None = 15 * MINUTE
    database_failing: Millis | None = 30 * SECOND
    disk_full: Decimal | None = Decimal("0.05")
    upkeep_failing: Millis | None = HOUR
    channels: tuple[str, ...] = ()
    """Empty is all."""


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """Call limits of each exchange host: for this machine, per user, and per user for assets."""

    host: Limit = Limit(50, 10 * SECOND)
    user: Limit = Limit(50, 10 * SECOND)
    assets: Limit = Limit(5, 2 * SECOND)

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
