"""Fixtures for every test: parts of the machine that may be missing, and a real PostgreSQL."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

from tests import databases, parts

# A shell lets what it starts in the background ignore Ctrl-C, and so would the programs that tests
# start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# OpenSSL takes 22 ms to read a file of all the machine's authorities, for each session of HTTP.
# Tests need none of them, and name themselves what they trust.
os.environ["SSL_CERT_FILE"] = os.devnull

# Whether a test passes does not depend on how busy the machine is.
settings.register_profile("usual", deadline=None)
settings.register_profile("quick", max_examples=10, deadline=None)
settings.register_profile("fuzz", max_examples=100_000, deadline=None)
settings.load_profile(os.environ.get("MARGINWATCH_HYPOTHESIS", "usual"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Exclude tests with random inputs or processes from coverage.

    Random inputs reach other lines in each run, and tracing doubles their time.
    """
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)) or "end_to_end" in item.path.parts:
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session", autouse=True)
def _shared_work_of_databases() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        databases.share_work(patch)
        yield


@pytest.fixture(scope="session")
def require() -> Callable[[str], Path]:
    """`require("systemd")` gives the part's program, or skips (fails under MARGINWATCH_REQUIRE)."""
    return parts.require


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """SQLAlchemy's URL of the database `postgres` in a private cluster, one per test process.

    Its user `owner` may create databases and schemas; tests that share the cluster take one each.
    """
    with parts.postgresql(parts.require("postgresql")) as url:
        yield url


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Leaves the process-wide logging as it was, for tests that call `log.setup`."""
    loggers = [logging.getLogger(name) for name in (None, *logging.root.manager.loggerDict)]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    logging.captureWarnings(capture=False)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
