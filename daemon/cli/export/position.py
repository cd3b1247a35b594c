"""Reads `--after`: the counters up to which rows were exported before. Pure."""

from collections.abc import Mapping

from daemon.config.problems import did_you_mean
from daemon.errors import UsageError
from daemon.store.read.time_index import FIRST


def parse_counters(text: str | None, last: Mapping[str, int | None]) -> dict[str, int]:
    """The counter of each account; accounts that `text` does not name begin at their first row.

    `last` has the last counter of every account of this export; None where nothing is recorded.

    Raises:
        UsageError: for another text, an account that there is not, or a counter beyond the last.

    """
    found = dict.fromkeys(last, FIRST)
    for part in text.split(",") if text else ():
        name, sign, number = part.strip().rpartition("=")
        if not sign:
            name = _only(last, number)
        elif name not in last:
            hint = did_you_mean(name, list(last)) or f": there are {', '.join(last)}"
            raise UsageError(f'--after names the account "{name}", not exported here{hint}')
        found[name] = parse_counter(number, last[name], f"of {name}")
    return found


def _only(last: Mapping[str, int | None], number: str) -> str:
    if len(last) != 1:
        several = ",".join(f"{name}={number}" for name in list(last)[:2])
        raise UsageError(
            f"--after {number} does not say of which account: write --after {several} or so"
        )
    return next(iter(last))


def parse_counter(text: str, last: int | None, whose: str = "") -> int:
    """The counter; raises UsageError where it is none, or lies beyond the last one recorded."""
    try:
        number = int(text)
    except ValueError:
        raise UsageError(
            f'--after "{text}" is no seq: write that of the last row, such as 81234'
        ) from None
    if last is None or number > last:
        end = "nothing is recorded" if last is None else f"the last seq is {last}"
        raise UsageError(
            f"--after {number} lies beyond the end{f' {whose}' * bool(whose)}: {end}; is this the"
            " right database?"
        )
    return max(number, FIRST)


def format_counters(counters: Mapping[str, int]) -> str:
    """The text that `parse_counters` reads; "" when no row was exported."""
    known = {name: seq for name, seq in counters.items() if seq != FIRST}
    if len(counters) == 1:
        return "".join(str(seq) for seq in known.values())
    return ",".join(f"{name}={seq}" for name, seq in known.items())
