"""Log lines of the start and the end of an instance; a reload looks like neither."""

import logging
from collections.abc import Mapping
from datetime import tzinfo

from daemon import __version__
from daemon.log import IN_SENTENCE
from daemon.service.judging.startup import Missed
from daemon.service.supervisor import RELOAD
from daemon.store.operations import Unwritten

_log = logging.getLogger("marginwatch")


def log_start(
    reason: str, numbers: Mapping[str, int], missed: Missed | None, zone: tzinfo | None
) -> None:
    """Log a start, and what it missed, if anything."""
    extra = {"version": __version__, **numbers}
    _log.info("reloaded" if reason == RELOAD else "started", extra=extra)
    if missed is not None and reason != RELOAD:
        _log.info("%s", missed.sentence(zone), extra={IN_SENTENCE: missed.fields(zone)})


def log_stop(reason: str, unwritten: Unwritten) -> None:
    """Log an end, and what it cost; an end for a reload that cost nothing is none."""
    if unwritten.lost:
        sentence = "stopped; the database did not store everything in time: the rest is lost"
        _log.error(sentence, extra={"lost": unwritten.lost})
    if unwritten.unknown:
        sentence = (
            "stopped; the database did not answer: it is unknown whether the last commit is"
            " recorded"
        )
        _log.error(sentence, extra={"unknown": unwritten.unknown})
    if not unwritten and reason != RELOAD:
        _log.info("stopped")
