"""How long the tests go on that could go on for ever: `make test` for a little, `make soak` for
long.
"""

import os

SOAKING = "MARGINWATCH_SOAK" in os.environ


def length(usual: int, long: int) -> int:
    """How many random days, kills or stories; a test that asks is marked `soak`."""
    return long if SOAKING else usual
