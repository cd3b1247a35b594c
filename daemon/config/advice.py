"""What a configuration allows but its writer probably does not want: sentences for `check`, never a refusal."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from daemon.config.model import SYSTEM_RULES, Account, Channel, Config
from daemon.rules.rule import Condition, Rule
from daemon.rules.tree import Call, Comparison, Field, Negative, Node, Number, varies, walk

SPIKES = frozenset({"spike", "zscore", "delta", "change", "rise", "drop"})
"""Functions that forget: what they compare with is, after a while, the spike itself (SEMANTICS D6)."""


def warnings(config: Config, caution: Callable[[str], str | None]) -> Iterator[str]:
    """One sentence each, with its place, in the order of the file; `caution` knows what is risky about a URL."""
    yield from _twins(config.accounts)
    yield from _channels(config.channels)
    for index, channel in enumerate(config.channels):
        sentence = caution(channel.url.reveal())
        if sentence:
            yield f"channels[{index}].url: {sentence}"
    if not config.rules:
        yield "rules: there is none, so nothing will ever alert; add [[rules]]"
    for index, rule in enumerate(config.rules):
        yield from (f"rules[{index}].{each}" for each in _rule(rule, config))


def _twins(accounts: tuple[Account, ...]) -> Iterator[str]:
    first: dict[str, int] = {}
    for index, account in enumerate(accounts):
        before = first.setdefault(account.api_key.reveal(), index)
        if before != index:
            yield f"accounts[{index}].api_key: the same key as accounts[{before}]; both read one account"


def _channels(channels: tuple[Channel, ...]) -> Iterator[str]:
    if not channels:
        yield "channels: there is none, so nobody will be told; add [[channels]]"
    if len(channels) == 1:
        yield "channels: there is only one; add a second of another kind, for when it fails"


def _rule(rule: Rule, config: Config) -> Iterator[str]:
    if not any(rule.watches(account.name) for account in config.accounts):
        yield "accounts: matches no account, so the rule has no effect"
    if not varies(rule.when.tree):
        yield "when: does not depend on any reading, so it is always the same"
    if rule.clear_when == rule.when:
        yield "clear_when: is the same as when, so the alert would never end"
    for name in rule.inhibited_by:
        yield from _inhibition(rule, name, config)
    if rule.clear_when is None:
        yield from _forgetting(rule.when)


def _inhibition(rule: Rule, name: str, config: Config) -> Iterator[str]:
    if name in SYSTEM_RULES:
        yield f'inhibited_by: the system rule "{name}" is not available yet, so this has no effect'
    other = next((each for each in config.rules if each.name == name), None)
    shared = (rule.watches(one.name) and other and other.watches(one.name) for one in config.accounts)
    if other and not any(shared):
        yield f'inhibited_by: "{name}" watches none of the same accounts, so this has no effect'


def _forgetting(when: Condition) -> Iterator[str]:
    """SEMANTICS D6: such a rule may clear although the level has not come back."""
    for node in walk(when.tree):
        match node:
            case Comparison(operator, Call(name) as call, level) if name in SPIKES:
                yield (
                    f"when: {call} forgets after its window, which ends the alert by itself; "
                    f"add a clear_when on the level, such as clear_when = {_level(operator, call, level)}"
                )
                return
            case _:
                pass


def _level(operator: str, call: Call, level: Node) -> str:
    """A suggestion: the level on the far side of the change, in the direction from which the spike came."""
    field = next((str(node) for node in walk(call) if isinstance(node, Field)), "available_margin")
    back = "<" if operator.startswith(">") else ">"
    return f'"{field} {back} {_amount(level)}"' if call.name == "delta" else f'"{field} {back} …"'


def _amount(level: Node) -> Decimal | str:
    match level:
        case Number(value) | Negative(Number(value)):
            return abs(value)
        case _:
            return "…"
