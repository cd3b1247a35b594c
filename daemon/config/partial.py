"""A configuration with mistakes, for commands that only read the record or silence alerts.

At 3 am a typo in one rule must keep nobody from stopping the reminders. The database and the time
zone have to be certain; everything else that has a mistake is left out.
"""

from collections.abc import Mapping
from dataclasses import fields, replace

from daemon.config import build
from daemon.config.model import Config, Daemon
from daemon.config.parse.document import Document
from daemon.config.problems import SECTIONS, Problems

NEEDED = ("database", "timezone")
"""The keys of [daemon] without which no command can read the record."""


def is_record_certain(raw: Mapping[str, object], problems: Problems) -> bool:
    """Whether the file says which database and time zone are meant, in spite of its mistakes."""
    daemon = raw.get("daemon", {})
    if not isinstance(daemon, Mapping):
        return False
    if any(problems.within(f"daemon.{key}") for key in NEEDED):
        return False
    if all(key in daemon for key in NEEDED):
        return True
    # A default is certain only where no unknown word may be a misspelled key or [daemon].
    unknown = {key for key in raw if key not in SECTIONS and not isinstance(raw[key], list)}
    return not unknown and daemon.keys() <= {each.name for each in fields(Daemon)}


def without_mistakes(config: Config, written: Document, problems: Problems) -> Config:
    """The configuration without rules and mute windows that have a mistake, or unnamed parts."""
    return replace(
        config,
        accounts=tuple(each for each in config.accounts if each.name),
        channels=tuple(each for each in config.channels if each.name),
        rules=build.rules(each for each in written.rules if not problems.within(each.place)),
        mutes=build.mutes(
            (each for each in written.mutes if not problems.within(each.place)),
            config.daemon.timezone,
        ),
        reports=(),
    )
