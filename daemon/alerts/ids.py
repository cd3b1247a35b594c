"""Codes of alerts: four characters that people can type. Pure."""

import hashlib
from collections.abc import Container

from daemon.types import Millis

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters and digits without those that are easily misread: 0 o, 1 l i."""

LENGTH = 4
COUNT: int = len(ALPHABET) ** LENGTH


def alert_code(rule: str, account: str, at: Millis, taken: Container[str]) -> str:
    """Code of the alert that `rule` raised on `account` at `at`: a hash, or the next free code.

    Raises OverflowError when all 923,521 codes are taken.
    """
    digest = hashlib.blake2b(f"{rule}\0{account}\0{at}".encode(), digest_size=8).digest()
    first = int.from_bytes(digest)
    for offset in range(COUNT):
        candidate = _spell((first + offset) % COUNT)
        if candidate not in taken:
            return candidate
    raise OverflowError("every alert code is taken: prune the history")


def _spell(number: int) -> str:
    letters = []
    for _ in range(LENGTH):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)
