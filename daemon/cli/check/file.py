"""The report of `check` on a configuration without mistakes.

It counts what the file holds, warns of unwise settings, and lists the effective intervals and what
a reload would change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from daemon.cli.check.reload_preview import RunningConfig, preview_reload, running_config
from daemon.cli.check.report import CheckReport
from daemon.cli.check.same_user import known_users, same_user_warnings
from daemon.cli.check.window_memory import window_memory
from daemon.cli.record_access import open_existing_record
from daemon.config import Config
from daemon.config.effective_intervals import settled_intervals
from daemon.errors import StoreConfigError, StoreError
from daemon.service.reporting import cron
from daemon.store import open_database_files, preflight
from daemon.text.durations import duration_text
from daemon.text.numbers import format_instant
from daemon.types import Millis

MEGABYTE = 1_000_000
WORTH_TELLING = 50 * MEGABYTE
"""Least memory for windows that `check` tells."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The facts that `check` takes from the record, if there is one."""

    user_ids: Mapping[str, str] = field(default_factory=dict)
    """The exchange's user id of each account's key."""
    last: RunningConfig | None = None


def store_trouble(config: Config) -> StoreError | None:
    """The reason why a daemon cannot collect into the database at present; None if it can.

    Raises:
        StoreConfigError: where it never can.

    """
    try:
        preflight(config.daemon.database.reveal())
    except StoreConfigError:
        raise
    except StoreError as error:
        return error
    return None


def show(config: Config, now: Millis, report: CheckReport, *, readable: bool = True) -> None:
    """Print the report; `readable` is false where the record cannot be read (told elsewhere)."""
    counts = (("account", config.accounts), ("channel", config.channels), ("rule", config.rules))
    told = (f"{len(each)} {name}{'' if len(each) == 1 else 's'}" for name, each in counts)
    word = " is good" if config.channels else ""
    report.note(f"{config.path.name}{word}: {', '.join(told)}")
    memory = show_warnings(config, now, report, readable=readable)
    every = settled_intervals(config.accounts, config.budget, memory.user_ids)
    for line in _budgets(config):
        report.note(line)
    _paces(config, every, report)
    for line in _reports(config, now):
        report.note(line)
    memory_needed = window_memory(config, every)
    if memory_needed >= WORTH_TELLING:
        report.note(f"memory for the rules' windows: about {memory_needed / MEGABYTE:.0f} MB")


def show_warnings(
    config: Config, now: Millis, report: CheckReport, *, readable: bool = True
) -> Memory:
    """Print the warnings and what a reload would change, and return the facts in the record."""
    for warning in config.warnings:
        report.warn(warning)
    for file in open_database_files(config.daemon.database.reveal()):
        report.warn(f"{file} can be read by every user of this machine; chmod o= {file}")
    memory = read_memory(config, now, report) if readable else Memory()
    for warning in same_user_warnings(known_users(config, memory.user_ids), config.hosts):
        report.warn(warning)
    for line in _changes(config, memory.last):
        report.add("reload", f"reload: {line}", line)
    return memory


def _changes(config: Config, last: RunningConfig | None) -> list[str]:
    accounts = [account.name for account in config.accounts]
    return [] if last is None else preview_reload(config.rules, accounts, last, config.system_rules)


def _budgets(config: Config) -> list[str]:
    """A line for each budget with the accounts that share it, where there are several."""
    hosts = {
        host: [name for name, at in config.hosts.items() if at == host]
        for host in config.hosts.values()
    }
    return [
        f"budget at {host}: shared by {', '.join(own)}"
        for host, own in hosts.items()
        if len(hosts) > 1
    ]


def _paces(config: Config, every: dict[str, Millis], report: CheckReport) -> None:
    for account in config.accounts:
        name, effective = account.name, every[account.name]
        row = {"account": name, "every_ms": effective, "wanted_ms": account.every}
        report.add("accounts", f"{name}: read every {_pace(account.every, effective)}", row)


def _reports(config: Config, now: Millis) -> Iterator[str]:
    zone = config.daemon.timezone
    for report in config.reports:
        at = format_instant(cron.due(report.cron, zone, now), now, zone)
        yield f"report {report.name}: next {at}, to {', '.join(report.channels) or 'all channels'}"


def _pace(wished: Millis, effective: Millis) -> str:
    if effective <= wished:
        return duration_text(wished)
    return f"{duration_text(effective)} instead of {duration_text(wished)}, to stay within [budget]"


def read_memory(config: Config, now: Millis, report: CheckReport) -> Memory:
    """The facts in the record; prints a warning where it cannot be read."""
    try:
        with open_existing_record(config) as history:
            if history is not None:
                return Memory(history.user_ids(), running_config(history, now))
            report.note(
                "the database is not there yet, or empty: it will be set up at the first start"
            )
            return Memory()
    except StoreError as error:
        report.warn(str(error))
        return Memory()
