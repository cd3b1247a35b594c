"""Finds the places of the labels in a chart, so that none hides another. Pure.

Heights run from 0 at the bottom to 1 at the top. Labels of levels and of the last value stand in
one column beside the axes; a label that had to move is tied to its line by a leader.
"""

from collections.abc import Collection, Sequence

HEAVY = 1e6
"""Weight of a label that stays where it is, while the others make room for it."""

_STEPS = 40
"""Heights that are tried for a text, from the bottom to the top."""


def spread_labels(
    heights: Sequence[float], least: float, weights: Sequence[float] = ()
) -> list[float]:
    """Positions for the labels of ascending heights.

    They are at least `least` apart, and each as near to its own height as that allows. The heavier
    a label, the less it moves.
    """
    heavy = weights or [1.0] * len(heights)
    groups: list[list[tuple[float, float]]] = []
    for label in zip(heights, heavy, strict=True):
        groups.append([label])
        while len(groups) > 1:
            lower, upper = groups[-2:]
            if _stacked(upper, least)[0] >= _stacked(lower, least)[-1] + least:
                break
            groups[-2:] = [lower + upper]
    return [place for group in groups for place in _stacked(group, least)]


def with_room(heights: Sequence[float], height: float, least: float) -> list[int]:
    """Indices of the ascending heights whose labels have room beside a label at `height`.

    These are the nearest ones above and below it, one on each side at least.
    """
    below = [index for index, each in enumerate(heights) if each <= height]
    above = [index for index, each in enumerate(heights) if each > height]
    lower, upper = int(height / least), int((1 - height) / least)
    return below[-max(1, lower) :] + above[: max(1, upper)]


def free_height(wanted: float, taken: Collection[float], least: float) -> float:
    """The height nearest to `wanted` with room around it; `wanted` itself if there is none."""
    heights = sorted(
        (number / _STEPS for number in range(_STEPS + 1)), key=lambda each: abs(each - wanted)
    )
    inside = [wanted, *(each for each in heights if least <= each <= 1 - least)]
    return next(
        (each for each in inside if all(abs(each - other) >= least for other in taken)), wanted
    )


def _stacked(group: Sequence[tuple[float, float]], least: float) -> list[float]:
    """Positions of labels that touch: together as near to their heights as can be."""
    tall = (len(group) - 1) * least
    whole = sum(weight for _, weight in group)
    lowest = sum(
        weight * (height - number * least) for number, (height, weight) in enumerate(group)
    )
    lowest = max(0.0, min(lowest / whole, 1 - tall))
    return [lowest + number * least for number in range(len(group))]
