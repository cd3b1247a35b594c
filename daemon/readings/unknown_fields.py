"""Fields of an answer that are not known: how many of them a reading keeps. Pure.

An exchange may send any number of fields of any size with each answer. What is kept stays in the
record for ever, and is read again with it, so a reading keeps little of them.
"""

import json
from collections.abc import Mapping

LEFT_OUT = "left_out_fields"
"""The name under which a reading says how many fields it does not keep; a field of this name is
never kept itself.
"""

MOST_BYTES = 3_300
"""Of the unknown fields as JSON. With the digits of six amounts and the count, `extra` stays below
4 KiB.
"""

MOST_FIELDS = 43
"""With six amounts and the count, `extra` has at most 50 keys."""


def bounded(sent: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """The fields that a reading keeps, with the count of the others; and the names of the others.

    Fields are kept in the order in which they were sent. One that is too large is left out, smaller
    ones after it are kept.
    """
    if not sent:
        return sent, ()
    kept: dict[str, object] = {}
    left_out: list[str] = []
    size = 0
    for name, value in sent.items():
        taken = (
            size + _size(name, value)
            if len(kept) < MOST_FIELDS and name != LEFT_OUT
            else MOST_BYTES + 1
        )
        if taken > MOST_BYTES:
            left_out.append(name)
        else:
            kept[name], size = value, taken
    return (kept | {LEFT_OUT: len(left_out)} if left_out else kept), tuple(left_out)


def _size(name: str, value: object) -> int:
    """The bytes of one field in JSON, with what separates it from the next."""
    return len(json.dumps({name: value}, default=str, separators=(",", ":")))
