"""Configurations written by the tests, and how they load them."""

from collections.abc import Mapping
from pathlib import Path

from daemon import config
from daemon.config import Checks, Config
from daemon.config.checks.warnings import NO_HEARTBEAT
from daemon.errors import ConfigError

PATH = Path("/etc/marginwatch/rules.toml")

ACCOUNT = """
[[accounts]]
name = "main"
api_key = "planted-key-0001"
secret_key = "planted-secret-0001"
"""

CHANNELS = """
[[channels]]
name = "phone"
url = "jsons://example.com/phone"

[[channels]]
name = "mail"
url = "jsons://example.com/mail"
"""

RULE = """
[[rules]]
name = "low"
when = "available_margin < 100"
"""

WHOLE = ACCOUNT + CHANNELS + RULE


def loaded(
    text: str,
    environ: Mapping[str, str] | None = None,
    checks: Checks | None = None,
    path: Path = PATH,
) -> Config:
    return config.load(text, path=path, environ=environ or {}, checks=checks)


def doubts(config: Config) -> list[str]:
    """Its warnings, without the one of every configuration that has no heartbeat."""
    return [warning for warning in config.warnings if warning != NO_HEARTBEAT]


def problems(
    text: str,
    environ: Mapping[str, str] | None = None,
    checks: Checks | None = None,
    path: Path = PATH,
) -> list[str]:
    """Every mistake of a text; empty when it loads."""
    try:
        loaded(text, environ, checks, path)
    except ConfigError as error:
        return error.problems
    return []
