"""The labels beside the axes of a chart: those of its levels, and the last value.

They stand at the height of what they name. A label that makes room for another is tied to its line
by a leader.
"""

from bisect import bisect_left
from functools import cached_property
from typing import Any, NamedTuple

from daemon.charts.chart import Level, Point
from daemon.charts.drawing.panel_axes import (
    CLEAR,
    EDGE,
    LIMIT,
    LINE,
    MIDDLE,
    OVER,
    PAPER,
    SIDE,
    SMALL,
    WIDTH,
    PanelAxes,
)
from daemon.charts.labels import HEAVY, spread_labels, with_room
from daemon.charts.value_axis import format_exact, format_short

WIDEST = 214
"""Pixels of a label; a longer one is written smaller, after its rule's name was cut."""

LEADER = 18
"""Pixels between the axes and the labels of levels, for the leaders."""

BESIDE = 11
"""Pixels between the last point and its value."""

SPACE = 4
"""Pixels before a label of a level, and after the last value."""

MOVED = 0.25
"""Part of a label's height from which a value that had to move has a leader."""

LONGEST, SHORTEST = 20, 3
"""Characters that are left of a name that is cut."""

UP, DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"


class LevelLabel(NamedTuple):
    """The label of a level."""

    level: Level
    height: float
    """Height of the level's line within the axes; the nearest end if it is off the scale."""
    text: str


class SideLabels:
    """The labels beside one chart's axes."""

    def __init__(self, panel: PanelAxes) -> None:
        self._panel = panel
        self._chart = panel.chart
        self._scale = panel.scale

    def margin(self, left: float) -> float:
        """Pixels for the labels, if the axes begin at `left`."""
        widths = (min(WIDEST, self._width(each.text, SMALL)) for each in self._levels)
        levels = max(widths, default=-LEADER) + LEADER + SPACE + EDGE
        beside = 0.0
        if self._chart.last is not None:
            beside = (1 - self._panel.x(self._chart.last.at)) * (WIDTH - left - SIDE)
        return max(SIDE, levels, self._value_width() + SPACE + EDGE - beside)

    def draw(self) -> None:
        """Draw the labels, and a mark at the last point."""
        labels, last = self._with_room(), self._chart.last
        places = self._places(labels)
        for label, place in zip(labels, places, strict=False):
            self._draw_level(label, place)
        if last is not None:
            height = self._scale.height(last.value)
            self._draw_value(last, height, places[-1] if self._is_value_beside() else height)

    # What they say.

    @cached_property
    def _levels(self) -> list[LevelLabel]:
        """The labels of all levels, by height."""
        levels = sorted(self._chart.levels)
        heights = [min(1.0, max(0.0, self._scale.height(level.value))) for level in levels]
        return [
            LevelLabel(level, height, self._called(level))
            for level, height in zip(levels, heights, strict=True)
        ]

    def _called(self, level: Level) -> str:
        """The label of a level: the rule's name if there are several, an arrow if off the scale.

        A name is cut where the label would be too wide; a number never is.
        """
        several = len({each.rule for each in self._chart.levels}) > 1
        beyond = ""
        if not self._scale.holds(level.value):
            beyond = DOWN if level.value < self._scale.low else UP
        word = "" if several else "limit"
        if level.clear:
            word = "ends"
        number = format_exact(level.value, self._chart.unit)
        names = _cut_names(level.rule) if several else [""]
        texts = [_joined(beyond, name, word, number) for name in names]
        fitting = bisect_left(texts, True, key=lambda text: self._width(text, SMALL) <= WIDEST)
        return texts[min(fitting, len(texts) - 1)]

    @cached_property
    def _value(self) -> str:
        last, levels = self._chart.last, (level.value for level in self._chart.levels)
        if last is None:
            return ""
        return format_short(last.value, self._scale.step, levels, self._chart.unit)

    # Where they stand.

    def _with_room(self) -> list[LevelLabel]:
        """The labels of levels; those nearest to the last value, if there is no room for all."""
        heights = [each.height for each in self._levels]
        kept = with_room(heights, self._last_height(), self._panel.apart())
        return [self._levels[index] for index in kept]

    def _places(self, labels: list[LevelLabel]) -> list[float]:
        """Heights of the labels, and at last that of the last value if it stands beside them."""
        wanted = [(each.height, 1.0) for each in labels]
        if self._is_value_beside():
            wanted.append((self._last_height(), HEAVY))
        order = sorted(range(len(wanted)), key=wanted.__getitem__)
        heights, weights = (
            [wanted[index][0] for index in order],
            [wanted[index][1] for index in order],
        )
        places = spread_labels(heights, self._panel.apart(), weights)
        return [place for _, place in sorted(zip(order, places, strict=True))]

    def _is_value_beside(self) -> bool:
        """Whether the last value stands where the labels of levels do."""
        last, width = self._chart.last, self._panel.width()
        return last is not None and self._panel.x(last.at) * width + self._value_width() > width

    def _last_height(self) -> float:
        last = self._chart.last
        return 0.5 if last is None else self._scale.height(last.value)

    def _value_width(self) -> float:
        """Pixels from the last point to the end of its value."""
        if not self._value:
            return 0.0
        return min(WIDEST, self._width(self._value, MIDDLE, weight="bold")) + BESIDE

    def _width(self, text: str, size: float, **how: Any) -> float:
        return self._panel.text_width(text, size, **how)

    # Drawing.

    def _draw_level(self, label: LevelLabel, place: float) -> None:
        color = CLEAR if label.level.clear else LIMIT
        width = self._panel.width()
        if self._scale.holds(label.level.value):
            self._draw_leader((1.0, label.height), (1 + LEADER / width, place), color)
        begin = 1 + (LEADER + SPACE) / width
        self._write((begin, place), label.text, SMALL, color=color, gid="label")

    def _draw_value(self, last: Point, height: float, place: float) -> None:
        x = self._panel.x(last.at)
        end = x + BESIDE / self._panel.width()
        self._panel.axes.plot(
            x, height, "o", color=LINE, markersize=9, markeredgecolor=PAPER, clip_on=False, zorder=8
        )
        if abs(place - height) > MOVED * self._panel.apart():  # a level one would read as a minus
            self._draw_leader((x, height), (end, place), LINE)
        self._write((end, place), self._value, MIDDLE, color=LINE, weight="bold", gid="value")

    def _draw_leader(
        self, begin: tuple[float, float], end: tuple[float, float], color: str
    ) -> None:
        self._panel.axes.plot(
            *zip(begin, end, strict=True),
            color=color,
            linewidth=1.5,
            clip_on=False,
            zorder=3,
            gid="leader",
        )

    def _write(
        self, place: tuple[float, float], text: str, size: float, weight: str = "normal", **how: Any
    ) -> None:
        """Write a label, smaller if it is too wide."""
        size *= min(1.0, WIDEST / max(1.0, self._width(text, size, weight=weight)))
        x, y = place
        self._panel.axes.text(x, y, text, fontsize=size, weight=weight, zorder=8, **OVER, **how)


def _cut_names(name: str) -> list[str]:
    """A name and what is left of it when it is cut, the longest first; at last nothing."""
    cut = [f"{name[:length]}…" for length in range(LONGEST, SHORTEST - 1, -1) if length < len(name)]
    return [name, *cut, ""]


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
