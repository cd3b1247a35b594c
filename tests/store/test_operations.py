"""The values that may be written."""

import dataclasses
from typing import get_args

import pytest

from daemon.store.operations import CommitFailed, Operation, Rejected


@pytest.mark.parametrize("kind", get_args(Operation))
def test_operations_are_values(kind: type) -> None:
    """Frozen and compared by content: they wait, are compared, and are written again."""
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "id" not in {field.name for field in dataclasses.fields(kind)}


def test_rejected_is_a_commit_that_failed() -> None:
    """Handlers of a failed commit handle it too: the recorded state is loaded again."""
    assert issubclass(Rejected, CommitFailed)
