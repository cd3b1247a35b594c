"""The text of a first rules.toml, from a few answers. Pure: the command asks and writes."""

from dataclasses import dataclass, field
from decimal import Decimal

HYSTERESIS = Decimal("1.2")
"""Distance above the firing level at which an alert ends."""


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    name: str
    url: str = field(repr=False)
    loud: bool = False
    """Whether it may ring at night."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to the questions of `init`. Keys and URLs are written as given: reference or text."""

    account: str
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    channels: tuple[ChannelAnswer, ...] = ()
    warning_below: Decimal = Decimal(100)
    """Limit of available_margin, in USDT."""
    critical_below: Decimal = Decimal(50)
    timezone: str = ""
    heartbeat: str = field(default="", repr=False)
    """The address, or a reference to it, as for channels; "" is none."""
    report_at: str = ""
    """The time of day of a daily report, such as 08:00; "" is none."""


_HEAD = """\
# marginwatch: the configuration. `marginwatch check` says what is wrong with it, \
`marginwatch run` uses it.
# Durations are written 250ms, 90s, 10m, 1h30m, 7d. A key in a comment shows its default.

[daemon]
# database = "sqlite:///marginwatch.db"   # where everything is recorded; relative to this file
# every = "5s"                            # how often each account is read, at least 400ms
# of messages, such as "Europe/Berlin"; "" = the system's
timezone = {timezone}
# an address of a monitor such as healthchecks.io, fetched once a minute \
while all is well; "" = none
heartbeat = {heartbeat}

[[accounts]]
name = {account}
api_key = {api_key}
secret_key = {secret_key}
"""

_CHANNEL = """
[[channels]]
name = {name}
url = {url}
"""

_LOUD = """\
loud = true                               # it may ring at night: docs/loud.md
"""

_MAILED = """\
group_wait = "5s"                         # time to draw the chart that stands in the mail; \
critical never waits
"""

_NO_CHANNEL = """
# Without a channel nobody is told. Any address that Apprise knows will do: \
https://appriseit.com/services/
# [[channels]]
# name = "telegram"
# url = "tgram://{env:TELEGRAM_TOKEN}/{env:TELEGRAM_CHAT}"
"""

_RULES = """
[[rules]]
name = "margin-critical"
when = "available_margin < {critical}"
clear_when = "available_margin > {critical_over}"
severity = "critical"
repeat = "5m"                             # told again until it ends, or `marginwatch ack`
worse_by = "25%"                          # and each time it is so much worse than last told
# escalate = []                           # [{{ after = "15m", channels = ["call"] }}]: told too \
if nobody acknowledges it

[[rules]]
name = "low-margin"
when = "available_margin < {warning}"
clear_when = "available_margin > {warning_over}"
worse_by = "25%"
inhibited_by = ["margin-critical"]        # quiet while that one fires
# accounts = ["*"]                        # names or patterns
# channels = []                           # [] = all
# repeat = "4h"

# [[rules]]                               # orders suddenly bind far more than ten minutes ago
# name = "freeze-spike"
# when = "delta(al_freeze, 10m) > 200"
# clear_when = "al_freeze < 150"
"""

_SYSTEM = """
# Rules that exist without being written; "off" = none.
[system]
key-refused = "1m"                        # "0s" tells it at the first refusal
clock-stepped = "2s"                      # "250ms" tells it at each step that is recorded
# no-readings = "2m"                      # an account was not read for this long
# channel-failing = "10m"                 # a channel has failed for this long
# channels = []                           # [] = all
"""

_REPORT = """
[[reports]]                               # a sign of life: silence is then no good news by mistake
name = "daily"
cron = "{minute} {hour} * * *"
"""


def new_config(answers: Answers) -> str:
    """A rules.toml that loads if the answers are valid; it may hold secrets."""
    head = _HEAD.format(
        timezone=quoted(answers.timezone),
        heartbeat=quoted(answers.heartbeat),
        account=quoted(answers.account),
        api_key=quoted(answers.api_key),
        secret_key=quoted(answers.secret_key),
    )
    channels = [_channel(each) for each in answers.channels]
    rules = _RULES.format(
        critical=amount_text(answers.critical_below),
        critical_over=amount_text(answers.critical_below * HYSTERESIS),
        warning=amount_text(answers.warning_below),
        warning_over=amount_text(answers.warning_below * HYSTERESIS),
    )
    report = _report(answers.report_at) if answers.report_at else ""
    return head + ("".join(channels) or _NO_CHANNEL) + rules + report + _SYSTEM


def _report(at: str) -> str:
    hour, _, minute = at.partition(":")
    return _REPORT.format(minute=int(minute), hour=int(hour))


def _channel(answer: ChannelAnswer) -> str:
    written = _CHANNEL.format(name=quoted(answer.name), url=quoted(answer.url))
    written += _LOUD if answer.loud else ""
    return written + _MAILED if answer.url.startswith("mailto") else written


def quoted(text: str) -> str:
    """The text in double quotes, as TOML writes it."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def amount_text(amount: Decimal) -> str:
    """The amount without an exponent and without needless zeros."""
    written = f"{amount:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
