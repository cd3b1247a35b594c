"""Unknown fields of an answer: a reading keeps only few of them. Pure.

An exchange may send any number of fields of any size with each answer. A kept field stays in the
record for ever and is read again with it.
"""

import json
from collections.abc import Mapping

LEFT_OUT = "left_out_fields"
"""Name of the count of fields that were left out; a field of this name is never kept."""

MOST_BYTES = 3_300
"""Maximum bytes of the kept fields as JSON; with the six amounts, `extra` stays below 4 KiB."""

MOST_FIELDS = 43
"""Maximum number of kept fields; with the six amounts, `extra` has at most 50 keys."""


def bound_fields(sent: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """Kept fields with the count of the others, and the names of the others.

    Fields keep the order in which they were sent. A field that is too large is left out; smaller
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
    """Bytes of one field in JSON, with its separator."""
    return len(json.dumps({name: value}, default=str, separators=(",", ":")))
