"""The values of a window in their order, so that the middle one is found without sorting them
anew.
"""

from bisect import bisect_left, bisect_right, insort_right
from decimal import Decimal
from itertools import accumulate

from daemon.rules.evaluation.windows import RunningAggregate
from daemon.types import Millis

BLOCK = 2_048
"""Values in a block, from half to twice as many: moving them costs less than finding one's place
among them.
"""


class Ordered(RunningAggregate):
    """A sorted list in blocks: entering, leaving and finding by position cost a search among blocks
    and in one.

    Equal values stand in the order in which they came, so it depends on the window's content alone.
    """

    __slots__ = ("_block", "_blocks", "_ends", "_highest", "_sizes", "hint")

    bytes_per_entry = 120

    def __init__(self, block: int = BLOCK) -> None:
        self._block = block
        self._blocks: list[list[Decimal]] = []
        self._highest: list[Decimal] = []
        """The last value of each block."""
        self._sizes: list[int] = []
        self.hint = 0
        """Where somebody who searches by position found it last; changes no result."""
        self._ends: list[int] = []
        """The position behind each block; empty until somebody asks."""

    def enter(self, number: int, at: Millis, value: Decimal) -> None:  # noqa: ARG002 - values alone are ordered
        if not self._blocks:
            self._blocks.append([])
            self._highest.append(value)
            self._sizes.append(0)
        index = min(bisect_right(self._highest, value), len(self._blocks) - 1)
        insort_right(self._blocks[index], value)
        self._changed(index)

    def leave(self, number: int, at: Millis, value: Decimal) -> None:  # noqa: ARG002 - values alone are ordered
        index = bisect_left(self._highest, value)
        block = self._blocks[index]
        del block[bisect_left(block, value)]
        self._changed(index)

    def middle(self, count: int) -> tuple[Decimal, Decimal]:
        """The two values in the middle of all `count`; of an odd count twice the same."""
        return self[(count - 1) // 2], self[count // 2]

    def __getitem__(self, position: int) -> Decimal:
        ends = self._ends or self._counted()
        index = bisect_right(ends, position)
        return self._blocks[index][
            position - ends[index]
        ]  # behind the block's end, so counted from it

    def _counted(self) -> list[int]:
        self._ends = list(accumulate(self._sizes))
        return self._ends

    def _changed(self, index: int) -> None:
        """Restore what holds of every block after one of them has changed."""
        size, blocks, block = self._block, self._blocks, self._blocks[index]
        self._ends = []
        if len(block) > 2 * size:
            blocks[index : index + 1] = [block[:size], block[size:]]
            self._note(slice(index, index + 1), blocks[index : index + 2])
        elif len(block) <= size // 2 and len(blocks) > 1:
            index = max(0, index - 1)
            blocks[index] += blocks.pop(index + 1)
            self._note(slice(index, index + 2), [blocks[index]])
        elif block:
            self._highest[index], self._sizes[index] = block[-1], len(block)
        else:
            blocks.clear()
            self._note(slice(0, 1), [])

    def _note(self, where: slice, blocks: list[list[Decimal]]) -> None:
        """What is known of the blocks that now stand there."""
        self._highest[where] = [block[-1] for block in blocks]
        self._sizes[where] = map(len, blocks)
