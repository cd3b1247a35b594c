"""Parsing the lines of a test case: transitions of `expect`, messages of `told`, and `acks`.

    AT [ACCOUNT/]RULE pending|firing|resolved [VALUE]
    AT [CHANNEL:] [ACCOUNT/]RULE firing|repeat|worse|ack|resolved[, …]
    AT [ACCOUNT/]RULE

For example, `3m25s low-margin firing 90` is a transition, and `3m26s telegram: low-margin firing` a
message.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from daemon.config import SYSTEM_RULES
from daemon.config.problems import did_you_mean
from daemon.replay.cases import CaseAck, ExpectedMessage, ExpectedNews, ExpectedTransition
from daemon.rules.language.build import quote
from daemon.rules.language.errors import ExpressionError
from daemon.rules.rule import Rule
from daemon.text.durations import parse_duration
from daemon.types import FLAPPING, Kind, Millis, State, base

STATES = (State.PENDING.value, State.FIRING.value, State.RESOLVED.value)
KINDS = (
    *(Kind.FIRING.value, Kind.REPEAT.value, Kind.WORSE.value),
    *(Kind.ACK.value, Kind.RESOLVED.value),
)
"""Kinds of messages; none tells of retired alerts, since the rules of a test do not change."""

CHANNEL = "channel"
"""The name that stands for every channel where the rules file has none."""

_VALUE = re.compile(r"(-?)(?:(\d{1,30}(?:\.\d{1,30})?)(%?)|(∞|Infinity|inf))")


@dataclass(frozen=True, slots=True)
class CaseNames:
    """The names that a line can use."""

    rules: Mapping[str, Rule]
    """All rules that are played."""
    looked_at: Collection[str]
    accounts: Sequence[str]
    channels: Sequence[str]

    def reached(self, rules: Collection[str]) -> list[str]:
        """The channels to which all these rules are routed."""
        routes = [self.rules[base(name)].channels for name in rules]
        return [
            name for name in self.channels if all(not route or name in route for route in routes)
        ]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a line with its column."""

    text: str
    column: int
    line: str

    def words(self) -> "list[_Part]":
        found = re.finditer(r"\S+", self.text)
        return [_Part(word[0], self.column + word.start(), self.line) for word in found]

    def mistake(self, sentence: str) -> ExpressionError:
        return ExpressionError(sentence, self.column, self.line)


def changes(line: str, cast: CaseNames) -> list[ExpectedTransition]:
    """Parse a line about a transition into a list of one.

    Raises ExpressionError with the column at fault.
    """
    at, rest = _at(line)
    name, state, behind = _split(rest, STATES)
    account, rule = _who(name, cast)
    value, written = None, ""
    if behind:
        value, written = _value(behind[0]), behind[0].text
    if len(behind) > 1:
        raise behind[1].mistake("nothing follows the value")
    return [ExpectedTransition(at, account, rule, State(state), value, written)]


def posts(line: str, contains: Sequence[str], cast: CaseNames) -> list[ExpectedMessage]:
    """Parse a line about a message into one expected message for each of its channels.

    Raises ExpressionError with the column at fault.
    """
    at, rest = _at(line)
    channel, colon, told = rest.text.partition(": ")
    if not colon:
        channel, told = "", rest.text
    column = rest.column + len(rest.text) - len(told)
    news: list[ExpectedNews] = []
    for text in told.split(","):
        news.append(_news(_Part(text, column, line), cast))
        column += len(text) + 1
    named = _Part(channel, rest.column, line)
    channels = [_channel(named, cast)] if colon else cast.reached({each.rule for each in news})
    if not channels:
        raise named.mistake("no channel hears of these rules together")
    return [ExpectedMessage(at, each, tuple(news), tuple(contains)) for each in channels]


def acks(line: str, cast: CaseNames) -> list[CaseAck]:
    """Parse a line about an acknowledgement into a list of one.

    Raises ExpressionError with the column at fault.
    """
    at, rest = _at(line)
    account, rule = _who(rest, cast)
    return [CaseAck(at, account, rule)]


def _at(line: str) -> tuple[Millis, _Part]:
    """The offset at the beginning of a line, and the rest of the line."""
    words = _Part(line, 0, line).words()
    if not words:
        raise ExpressionError(
            "the line is empty: expected one such as `3m25s low-margin firing`", 0, line
        )
    at = parse_duration(words[0].text)
    if at is None:
        raise words[0].mistake(
            f"expected the time since the start, such as `3m25s`, found {quote(words[0].text)}"
        )
    end = words[0].column + len(words[0].text)
    start = words[1].column if len(words) > 1 else end
    return at, _Part(line[start:].rstrip(), start, line)


def _split(part: _Part, known: Sequence[str]) -> tuple[_Part, str, list[_Part]]:
    """Split a part at the last known word: the text before, the word, and the words behind."""
    words = part.words()
    at = max((index for index, word in enumerate(words) if word.text in known), default=None)
    if at is None:
        near = next(
            (word for word in words if did_you_mean(word.text, known)), words[-1] if words else part
        )
        one_of = f"{', '.join(known[:-1])} or {known[-1]}"
        raise near.mistake(f"expected {one_of} behind the rule{did_you_mean(near.text, known)}")
    if at == 0:
        raise words[0].mistake(f"a rule is named before `{words[0].text}`")
    name = part.line[words[0].column : words[at - 1].column + len(words[at - 1].text)]
    return _Part(name, words[0].column, part.line), words[at].text, words[at + 1 :]


def _news(part: _Part, cast: CaseNames) -> ExpectedNews:
    name, kind, behind = _split(part, KINDS)
    if behind:
        raise behind[0].mistake(
            'nothing follows; what stands in the text is said by contains = ["…"]'
        )
    account, rule = _who(name, cast)
    return ExpectedNews(account, rule, Kind(kind))


def _who(part: _Part, cast: CaseNames) -> tuple[str, str]:
    """The account and the rule that a part names; a single account may be left out."""
    account, slash, rule = part.text.rpartition("/")
    named = _Part(rule, part.column + len(account) + len(slash), part.line)
    _check_rule(named, cast)
    if not slash and len(cast.accounts) > 1:
        raise part.mistake(f"there are several accounts: write ACCOUNT/{rule}")
    if slash and account not in cast.accounts:
        raise part.mistake(
            f"this case has no account {quote(account)}{did_you_mean(account, cast.accounts)}"
        )
    account = account or cast.accounts[0]
    rules = cast.rules[base(rule)]
    if not rules.watches(account):
        watched = " ".join(rules.accounts)
        raise named.mistake(
            f"the rule does not watch {account}, but {watched}; name accounts in"
            " [tests.accounts.NAME]"
        )
    return account, rule


def _check_rule(part: _Part, cast: CaseNames) -> None:
    name = base(part.text)
    rule = cast.rules.get(name)
    if rule is None and name in SYSTEM_RULES:
        raise part.mistake(f"`{name}` is off or about the daemon itself, and not played")
    if rule is None:
        raise part.mistake(f"there is no rule {quote(name)}{did_you_mean(name, cast.rules)}")
    if not rule.system and name not in cast.looked_at:
        raise part.mistake(f"`{name}` is not among the rules of this case")
    if part.text.endswith(FLAPPING) and rule.flapping is None:
        raise part.mistake(f'`{name}` never flaps: flapping = ""')


def _channel(part: _Part, cast: CaseNames) -> str:
    if part.text not in cast.channels:
        raise part.mistake(
            f"there is no channel {quote(part.text)}{did_you_mean(part.text, cast.channels)}"
        )
    return part.text


def _value(part: _Part) -> Decimal:
    """The value that a part states; a duration is in milliseconds, as rules judge it."""
    span = parse_duration(part.text)
    if span is not None:
        return Decimal(span)
    found = _VALUE.fullmatch(part.text)
    if found is None:
        raise part.mistake(
            f"expected the value judged, such as `90`, `20%`, `2m` or `∞`, found {quote(part.text)}"
        )
    sign, digits, percent, _ = found.groups()
    value = Decimal("Infinity") if digits is None else Decimal(digits).scaleb(-2 if percent else 0)
    return value.copy_negate() if sign else value
