"""How many of an answer's unknown fields a reading keeps."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.unknown_fields import LEFT_OUT, MOST_BYTES, MOST_FIELDS, bound_fields

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4_000),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.text(max_size=60) | st.just(LEFT_OUT), VALUES, max_size=80))
def test_s3_whatever_is_sent_little_is_kept(sent: dict[str, Any]) -> None:
    """S3: kept fields are unchanged and in order; the rest is counted; size is bounded."""
    kept, left_out = bound_fields(sent)
    own = dict(kept)
    assert own.pop(LEFT_OUT, 0) == len(left_out)
    assert [*own] == [name for name in sent if name not in left_out]
    assert own == {name: sent[name] for name in own}
    assert len(own) <= MOST_FIELDS
    assert len(json.dumps(own, separators=(",", ":"))) <= MOST_BYTES + 1


def test_s3_few_small_fields_are_kept_as_they_are() -> None:
    """S3: an ordinary answer is unchanged; of many fields the first and the small are kept."""
    assert bound_fields({"mood": "calm"}) == ({"mood": "calm"}, ())
    many = {f"field {number}": number for number in range(100)}
    kept, left_out = bound_fields(many)
    assert (len(kept), len(left_out), [*kept][:2]) == (MOST_FIELDS + 1, 57, ["field 0", "field 1"])
    assert bound_fields({"a": "x" * 5_000, "b": 1}) == ({"b": 1, LEFT_OUT: 1}, ("a",))
