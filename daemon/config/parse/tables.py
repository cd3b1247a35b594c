"""The tables of a rules.toml as written: every key of DESIGN §5, its type and its default.

`read` takes one table and reports every mistake in it. A value with a mistake counts as not
written, so that later checks still see the rest. The result may be used only when no problem was
reported.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails

from daemon.alerts.mutes import DAYS
from daemon.config.model import Web
from daemon.config.parse import values
from daemon.config.problems import Problems
from daemon.hidden import HiddenMapping
from daemon.rules import rule
from daemon.rules.rule import Condition
from daemon.types import HOUR, MINUTE, SECOND, Limit, Millis

Text = Annotated[str, PlainValidator(values.text)]
Reference = Annotated[str, PlainValidator(values.reference)]
References = Annotated[tuple[str, ...], PlainValidator(values.list_of(values.reference))]
Name = Annotated[str, PlainValidator(values.name)]
Key = Annotated[str, PlainValidator(values.secret)]
Span = Annotated[Millis, PlainValidator(values.duration)]
Positive = Annotated[Millis, PlainValidator(values.longer_than(1))]
Interval = Annotated[Millis, PlainValidator(values.longer_than(values.FASTEST))]
OwnInterval = Annotated[
    Millis | None, PlainValidator(values.optional(values.longer_than(values.FASTEST), empty=None))
]
Repeat = Annotated[
    Millis | None, PlainValidator(values.optional(values.longer_than(SECOND), empty=None))
]
Percent = Annotated[Decimal | None, PlainValidator(values.optional(values.percent, empty=None))]
Flapping = Annotated[Limit | None, PlainValidator(values.optional(values.flapping, empty=None))]
AtLeast = Annotated[
    rule.AtLeast | None, PlainValidator(values.optional(values.at_least, empty=None))
]
When = Annotated[Condition | None, PlainValidator(values.expression)]
ClearWhen = Annotated[
    Condition | None, PlainValidator(values.optional(values.expression, empty=None))
]
Address = Annotated[str, PlainValidator(values.url("https", "http"))]
Stream = Annotated[str, PlainValidator(values.optional(values.url("wss", "ws"), empty=""))]
Hidden = Annotated[str, PlainValidator(values.hidden)]
Page = Annotated[Web | None, PlainValidator(values.optional(values.web, empty=None))]
Zone = Annotated[ZoneInfo | None, PlainValidator(values.optional(values.zone, empty=None))]
Severity = Annotated[str, PlainValidator(values.one_of(("info", "warning", "critical")))]
OnMissing = Annotated[str, PlainValidator(values.one_of(("keep", "firing", "ok")))]
Days = Annotated[tuple[str, ...], PlainValidator(values.days)]
Between = Annotated[tuple[str, ...], PlainValidator(values.between)]
Summary = Annotated[str, PlainValidator(values.summary)]
Cron = Annotated[str, PlainValidator(values.cron)]
SpanOrOff = Annotated[Millis | None, PlainValidator(values.unless_off(values.limit_of_system(0)))]
PositiveOrOff = Annotated[
    Millis | None, PlainValidator(values.unless_off(values.limit_of_system(1)))
]
StepOrOff = Annotated[
    Millis | None, PlainValidator(values.unless_off(values.limit_of_system(values.SMALLEST_STEP)))
]
CountOrOff = Annotated[int | None, PlainValidator(values.unless_off(values.count))]
PercentOrOff = Annotated[Decimal | None, PlainValidator(values.unless_off(values.percent))]
Rate = Annotated[Limit, PlainValidator(values.limit)]


class StrictTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    required: ClassVar[tuple[str, ...]] = ()

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Nothing: any key may hold a secret."""
        return ()

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Every key as it is written."""
        return tuple(each.alias or name for name, each in cls.model_fields.items())


class DaemonTable(StrictTable):
    database: Key = "sqlite:///marginwatch.db"
    every: Interval = 5 * SECOND
    web: Page = Web("127.0.0.1", 8787)
    timezone: Zone = None
    heartbeat: Hidden = ""
    timeout: Positive = 10 * SECOND
    max_jump: Percent = None
    proxy: Hidden = ""
    ca_file: Text = ""


class AccountTable(StrictTable):
    required = ("name", "api_key", "secret_key")

    name: Name = ""
    exchange: Text = "coinw"
    api_key: Key = ""
    secret_key: Key = ""
    every: OwnInterval = None
    user_id: Text = ""
    rest_url: Address = "https://api.coinw.com"
    ws_url: Stream = "wss://ws.futurescw.com/perpum"
    proxy: Hidden = ""


class ChannelTable(StrictTable):
    required = ("name", "url")

    name: Name = ""
    url: Key = ""
    fallback: Reference = ""
    fallback_after: Span = 2 * MINUTE
    group_wait: Span = SECOND


class RuleTable(StrictTable):
    required = ("name", "when")

    name: Name = ""
    when: When = None
    clear_when: ClearWhen = None
    hold: Span = Field(0, alias="for")
    keep_firing_for: Span = 0
    at_least: AtLeast = None
    severity: Severity = "warning"
    accounts: References = ("*",)
    channels: References = ()
    repeat: Repeat = 4 * HOUR
    flapping: Flapping = rule.FLAPPING
    worse_by: Percent = None
    inhibited_by: References = ()
    on_missing: OnMissing = "keep"
    missing_after: Positive = rule.MISSING_AFTER
    mute: References = ()
    summary: Summary = ""


class MuteTable(StrictTable):
    required = ("name", "between")

    name: Name = ""
    days: Days = DAYS
    between: Between = ()


class ReportTable(StrictTable):
    required = ("name", "cron")

    name: Name = ""
    cron: Cron = ""
    channels: References = ()


class SystemTable(StrictTable):
    no_readings: PositiveOrOff = Field(2 * MINUTE, alias="no-readings")
    key_refused: SpanOrOff = Field(0, alias="key-refused")
    rate_limited: SpanOrOff = Field(2 * MINUTE, alias="rate-limited")
    answers_unusable: SpanOrOff = Field(MINUTE, alias="answers-unusable")
    account_not_judged: PositiveOrOff = Field(2 * MINUTE, alias="account-not-judged")
    channel_failing: PositiveOrOff = Field(10 * MINUTE, alias="channel-failing")
    clock_stepped: StepOrOff = Field(250, alias="clock-stepped")
    clock_skew: PositiveOrOff = Field(30 * SECOND, alias="clock-skew")
    exchange_frozen: PositiveOrOff = Field(30 * SECOND, alias="exchange-frozen")
    push_contradicted: CountOrOff = Field(3, alias="push-contradicted")
    rule_unknown: PositiveOrOff = Field(15 * MINUTE, alias="rule-unknown")
    database_failing: PositiveOrOff = Field(30 * SECOND, alias="database-failing")
    disk_full: PercentOrOff = Field(Decimal("0.05"), alias="disk-full")
    upkeep_failing: PositiveOrOff = Field(HOUR, alias="upkeep-failing")
    channels: References = ()


class BudgetTable(StrictTable):
    host: Rate = Limit(50, 10 * SECOND)
    user: Rate = Limit(50, 10 * SECOND)
    assets: Rate = Limit(5, 2 * SECOND)


T = TypeVar("T", bound=StrictTable)


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """One table of the file, with its place and its written values."""

    place: str
    raw: HiddenMapping[str, object]
    table: T

    @property
    def section(self) -> str:
        return self.place.partition("[")[0]

    @property
    def name(self) -> str:
        """The name as written, even when it is not valid: other tables may refer to it."""
        name = self.raw.get("name")
        return unicodedata.normalize("NFC", name) if isinstance(name, str) else ""

    def differs(self, key: str) -> bool:
        """Whether the value of a key differs from its default."""
        attribute = next(
            name
            for name, each in type(self.table).model_fields.items()
            if key in (name, each.alias)
        )
        return bool(
            getattr(self.table, attribute) != type(self.table).model_fields[attribute].default
        )


def read(kind: type[T], raw: Mapping[str, object], place: str, problems: Problems) -> Item[T]:
    """One table of the file; mistakes go to `problems`, and count as not written."""
    return Item(place, HiddenMapping(raw), _validated(kind, raw, place, problems))


def _validated(kind: type[T], raw: Mapping[str, object], place: str, problems: Problems) -> T:
    for key in kind.required:
        if key not in raw:
            problems.add(f"{place}.{key}", "is missing")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    wrong = {str(each["loc"][0]) for each in found}
    for each in found:
        problems.add(f"{place}.{each['loc'][0]}", _sentence(each, kind, problems))
    return kind.model_validate({key: value for key, value in raw.items() if key not in wrong})


def _sentence(error: ErrorDetails, kind: type[StrictTable], problems: Problems) -> str:
    """Our own words: pydantic finds unknown keys, `values` finds everything else."""
    if error["type"] == "extra_forbidden":
        return f"unknown key{problems.did_you_mean(str(error['loc'][0]), kind.keys())}"
    return str(error.get("ctx", {}).get("error", "cannot be used"))
