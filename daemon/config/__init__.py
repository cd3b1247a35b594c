"""The configuration: rules.toml, read, checked as a whole and turned into values.

    find → read → load → Config      every mistake at once, each with its place,
                                     or a configuration ready to run

Must not: know SQL, HTTP, Apprise or any exchange (their checks are passed in as `Checks`), read the
clock, or show a secret. Importing this costs the grammar of the rule language: commands import it
on use.
"""

from daemon.config.build import system_rules
from daemon.config.files import find, read, read_policy, read_text
from daemon.config.loading import Checks, load, load_rules
from daemon.config.model import (
    SYSTEM_RULES,
    Account,
    BudgetLimits,
    Channel,
    Config,
    Daemon,
    Report,
    System,
)
from daemon.config.parse.values import Web
from daemon.config.template import Answers, ChannelAnswer, new_config
from daemon.config.template_cases import new_cases
from daemon.hidden import Secret

__all__ = [
    "SYSTEM_RULES",
    "Account",
    "Answers",
    "BudgetLimits",
    "Channel",
    "ChannelAnswer",
    "Checks",
    "Config",
    "Daemon",
    "Report",
    "Secret",
    "System",
    "Web",
    "find",
    "load",
    "load_rules",
    "new_cases",
    "new_config",
    "read",
    "read_policy",
    "read_text",
    "system_rules",
]
