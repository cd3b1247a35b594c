"""Slots: the place of an account in its interval, same after every start (SEMANTICS B1). Pure."""

import hashlib

from daemon.types import Millis


def slot(account: str, every: Millis) -> Millis:
    """Place of the account within its interval."""
    return int.from_bytes(hashlib.blake2b(account.encode(), digest_size=8).digest()) % every


def slots_passed(account: str, every: Millis, since: Millis, until: Millis) -> int:
    """Number of slots of the account after `since`, up to and including `until`."""
    place = slot(account, every)
    return max(0, (until - place) // every - (since - place) // every)
