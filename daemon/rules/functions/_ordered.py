"""The values of a window in sorted order, so the median needs no sorting.

`sortedcontainers` does the same, in up to twice the time, but had no release since 2021.
"""

from bisect import bisect_left, bisect_right, insort_right
from decimal import Decimal
from itertools import accumulate

from daemon.rules.evaluation.windows import RunningAggregate
from daemon.types import Millis

BLOCK = 2_048
"""Target size of a block, which holds half to twice as many values.

Moving that many values costs less than finding a place among them.
"""


class Ordered(RunningAggregate):
    """A sorted list in blocks: each operation searches the blocks, then one block.

    Equal values stay in the order in which they came, so it depends on the window's content alone.
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
        """End of the last search by position; changes no result."""
        self._ends: list[int] = []
        """End position of each block; empty until it is needed."""

    def enter(self, number: int, at: Millis, value: Decimal) -> None:
        if not self._blocks:
            self._blocks.append([])
            self._highest.append(value)
            self._sizes.append(0)
        index = min(bisect_right(self._highest, value), len(self._blocks) - 1)
        insort_right(self._blocks[index], value)
        self._changed(index)

    def leave(self, number: int, at: Millis, value: Decimal) -> None:
        index = bisect_left(self._highest, value)
        block = self._blocks[index]
        del block[bisect_left(block, value)]
        self._changed(index)

    def middle(self, count: int) -> tuple[Decimal, Decimal]:
        """The two middle values of `count` values; the same value twice if `count` is odd."""
        return self[(count - 1) // 2], self[count // 2]

    def __getitem__(self, position: int) -> Decimal:
        ends = self._ends or self._counted()
        index = bisect_right(ends, position)
        return self._blocks[index][
            position - ends[index]
        ]  # negative: counted from the end of the block

    def _counted(self) -> list[int]:
        self._ends = list(accumulate(self._sizes))
        return self._ends

    def _changed(self, index: int) -> None:
        """Split or merge a block after a change, and update the block data."""
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
        """Update the last values and the sizes of the blocks at `where`."""
        self._highest[where] = [block[-1] for block in blocks]
        self._sizes[where] = map(len, blocks)
