"""When an account is due: its place within its interval, the same in every life of the daemon
(SEMANTICS B1). Pure.
"""

import hashlib

from daemon.types import Millis


def slot(account: str, every: Millis) -> Millis:
    """The account's place within its interval."""
    return int.from_bytes(hashlib.blake2b(account.encode(), digest_size=8).digest()) % every


def passed(account: str, every: Millis, since: Millis, until: Millis) -> int:
    """How many slots of the account lie after `since`, up to and with `until`."""
    place = slot(account, every)
    return max(0, (until - place) // every - (since - place) // every)
