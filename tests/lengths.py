"""Length of tests that could run for ever: short in `make test`, long in `make soak`."""

import os

SOAKING = "MARGINWATCH_SOAK" in os.environ


def length(usual: int, long: int) -> int:
    """A number of random days, kills or stories; a test that asks is marked `soak`."""
    return long if SOAKING else usual
