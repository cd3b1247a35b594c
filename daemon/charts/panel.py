"""One chart of a picture: axes with lines, limits, spans and labels, drawn with matplotlib.

Only in the render process, as `figure`.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from daemon.charts.chart import Chart, ChartSpan, Level
from daemon.charts.labels import HEAVY, free_height, spread_labels, with_room
from daemon.charts.time_axis import MOST, Tick, local_time, time_ticks
from daemon.charts.value_axis import Scale, format_exact, format_short, make_scale
from daemon.types import Millis

WIDTH = 800
"""Width of a picture in pixels."""

DPI = 100
LARGE, MIDDLE, SMALL = 22.0, 18.0, 16.0
"""Font sizes in points; the small one is still 10 pixels high when the picture is 360 wide."""

EDGE = 14
"""Pixels around the picture."""

SIDE = 44
"""Least pixels beside the axes."""

PAPER, INK, GREY, GRID = "#ffffff", "#1b1f24", "#57606a", "#d8dee4"
LINE, LIMIT, CLEAR = "#0b5cad", "#c01c1c", "#12753c"
FIRING, GAP, INFINITE = "#ffd9d4", "#e6eaee", "#efd9fa"

OVER: Any = {"va": "center", "path_effects": [withStroke(linewidth=4, foreground=PAPER)]}
"""Style of text over lines: a rim keeps letters readable and hides as little as possible."""

VISIBLE = 3.0
"""Least width of a span in pixels, however short it is."""

HATCHED = 10.0
"""Width in pixels from which a gap is hatched."""

LEADER = 18
"""Pixels between the axes and the labels of levels, for the lines that tie them."""

BESIDE = 11
"""Pixels between the last point and its value."""

APART = 28
"""Least distance between the centres of two labels, in pixels."""

MOVED = 0.25
"""Part of `APART` from which a value that had to move is tied to its point."""

WIDEST = 214
"""Pixels of a label of the value axis, of a level and of the last value.

A longer one is written smaller, after its name was cut.
"""

SHORTEST = 4
"""Characters of a name that is cut, less say nothing."""

DENSE = 400
"""Number of points from which the line is thinner."""

NOTHING = "no readings in these hours"
INFINITY, UP, DOWN = "\N{INFINITY}", "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"


class LevelLabel(NamedTuple):
    """A level, its height within the axes, and its text beside them."""

    level: Level
    height: float
    text: str


@dataclass
class Panel:
    """One chart on a figure. Inside the axes both coordinates run from 0 to 1."""

    chart: Chart
    figure: Figure
    span: ChartSpan
    """The time axis, the same for all charts of a picture."""
    ticks: int
    """Most ticks of the value axis."""
    axes: Axes = field(init=False)
    scale: Scale = field(init=False)

    def __post_init__(self) -> None:
        chart = self.chart
        values = [point.value for line in chart.lines for point in line]
        limits = [level.value for level in chart.levels]
        self.scale = make_scale(values, limits, chart.unit, self.ticks)
        self.axes = self.figure.add_axes((0, 0, 1, 1), facecolor="none", xlim=(0, 1), ylim=(0, 1))

    def left_margin(self) -> float:
        """Pixels for the labels of the value axis."""
        labels = (self._wide(label, SMALL) + EDGE + 8 for _, label in self.scale.ticks)
        return max(SIDE, *labels, SIDE)

    def right_margin(self, left: float) -> float:
        """Pixels for the labels beside the axes, if those begin at `left`."""
        labels = (min(WIDEST, self._wide(each.text, SMALL)) for each in self._level_labels())
        levels = max(labels, default=-LEADER) + LEADER + EDGE + 4
        beside = (1 - self._x(self.chart.last.at)) * (WIDTH - left - SIDE) if self.chart.last else 0
        return max(SIDE, levels, self._value_width() + EDGE + 4 - beside)

    def place(self, left: float, bottom: float, width: float, height: float) -> None:
        """Put the axes to a place in pixels."""
        tall = self.figure.get_figheight() * DPI
        self.axes.set_position((left / WIDTH, bottom / tall, width / WIDTH, height / tall))

    def draw(self, *, with_times: bool) -> None:
        self._frame(with_times=with_times)
        self._spans()
        self._levels()
        self._lines()
        self._last()

    # Around the data.

    def _frame(self, *, with_times: bool) -> None:
        axes = self.axes
        axes.spines[["left", "top", "right"]].set_visible(False)
        axes.spines["bottom"].set_color(GREY)
        ticks = self._time_ticks()
        # Two lines each, so all labels have the same height.
        labels = [f"{tick.label}\n " if with_times else "" for tick in ticks]
        axes.set_xticks([self._x(tick.at) for tick in ticks], labels)
        axes.set_yticks(
            [self.scale.height(at) for at, _ in self.scale.ticks],
            [label for _, label in self.scale.ticks],
        )
        axes.tick_params(labelsize=SMALL, labelcolor=INK, color=GREY, length=6, width=1.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color=GRID, linewidth=1.5, zorder=1)

    def _time_ticks(self) -> list[Tick]:
        """As many ticks as have room side by side."""
        for most in range(MOST, 1, -1):
            ticks = time_ticks(self.span, self.chart.zone, most)
            widest = max((self._wide(tick.label, SMALL) for tick in ticks), default=0)
            if len(ticks) * (widest + EDGE) <= self._pixels():
                return ticks
        return time_ticks(self.span, self.chart.zone, 1)

    # Spans.

    def _spans(self) -> None:
        for span in self.chart.firing:
            self._span(span, FIRING)
            self._say(span, "firing", 0.94, LIMIT)
        for span in self.chart.gaps:
            self._span(span, GAP, hatch="//" if self._long(span) > HATCHED else None)
            if self.chart.lines or self.chart.infinite:
                self._say(span, "no readings", 0.5, GREY)
        for span in self.chart.infinite:
            self._span(span, INFINITE)
            self.axes.text(
                self._middle(span), 0.8, INFINITY, fontsize=LARGE, color=INK, ha="center", **OVER
            )
        if not self.chart.lines and not self.chart.infinite:
            text = record_begins(self.chart) if self.chart.is_before_record else NOTHING
            height = free_height(0.5, self._heights(), self._apart())
            self.axes.text(
                0.5, height, text, fontsize=MIDDLE, color=INK, ha="center", zorder=7, **OVER
            )

    def _span(self, span: ChartSpan, color: str, **how: Any) -> None:
        begin, end = self._x(span.since), self._x(span.until)
        missing = max(0.0, VISIBLE - self._long(span)) / self._pixels() / 2
        self.axes.axvspan(
            begin - missing, end + missing, facecolor=color, edgecolor="none", zorder=0, **how
        )

    def _say(self, span: ChartSpan, text: str, height: float, color: str) -> None:
        """Write text in the middle of the span, if it fits, where no line runs through it."""
        if self._wide(text, SMALL) + EDGE < self._long(span):
            taken = [*self._heights(), *self._heights_within(span)]
            place = self._middle(span), free_height(height, taken, 1.3 * self._apart())
            self.axes.text(*place, text, fontsize=SMALL, color=color, ha="center", zorder=7, **OVER)

    def _heights(self) -> list[float]:
        """Heights of the lines of the levels."""
        levels = (level.value for level in self.chart.levels)
        return [self.scale.height(value) for value in levels if self.scale.holds(value)]

    def _heights_within(self, span: ChartSpan) -> list[float]:
        """Heights of the points in a span, its ends included."""
        return [
            self.scale.height(point.value)
            for line in self.chart.lines
            for point in line
            if span.since <= point.at <= span.until
        ]

    # Lines.

    def _lines(self) -> None:
        lines = [
            [(self._x(at), self.scale.height(value)) for at, value in line]
            for line in self.chart.lines
        ]
        width = 3.0 if sum(map(len, lines)) < DENSE else 2.0
        for line in lines:
            style = (
                {"linewidth": width} if len(line) > 1 else {"marker": "o", "markersize": width + 2}
            )
            self.axes.plot(
                *zip(*line, strict=True),
                color=LINE,
                solid_joinstyle="round",
                zorder=4,
                gid="readings",
                **style,
            )

    def _last(self) -> None:
        """Mark the last point; its value stands beside it, among the labels of the levels."""
        last = self.chart.last
        if last is None:
            return
        x, y = self._x(last.at), self.scale.height(last.value)
        self.axes.plot(
            x, y, "o", color=LINE, markersize=9, markeredgecolor=PAPER, clip_on=False, zorder=8
        )
        end = x + BESIDE / self._pixels()
        place = self._places()[-1] if self._is_value_beside() else y
        if abs(place - y) > MOVED * self._apart():  # a level leader would read as a minus
            self._leader((x, y), (end, place), LINE)
        self._beside((end, place), self._value(), MIDDLE, color=LINE, weight="bold", gid="value")

    def _value(self) -> str:
        last, levels = self.chart.last, (level.value for level in self.chart.levels)
        if last is None:
            return ""
        return format_short(last.value, self.scale.step, levels, self.chart.unit)

    # Levels.

    def _levels(self) -> None:
        """Draw each level as a line, and the labels of as many as have room beside the axes."""
        for level in self.chart.levels:
            if self.scale.holds(level.value):
                self.axes.axhline(
                    self.scale.height(level.value),
                    color=_color(level),
                    linewidth=2.5,
                    linestyle=(0, (5, 3)),
                    zorder=5,
                    gid="level",
                )
        for label, place in zip(self._labels_with_room(), self._places(), strict=False):
            self._label(label, place)

    def _places(self) -> list[float]:
        """Heights of the labels of levels, and at last that of the last value beside them."""
        heights = [(each.height, 1.0) for each in self._labels_with_room()]
        if self._is_value_beside():
            heights.append((self._last_height(), HEAVY))
        order = sorted(range(len(heights)), key=heights.__getitem__)
        places = spread_labels(
            [heights[index][0] for index in order],
            self._apart(),
            [heights[index][1] for index in order],
        )
        return [place for _, place in sorted(zip(order, places, strict=True))]

    def _label(self, label: LevelLabel, place: float) -> None:
        """Write a label beside the axes, tied to its line."""
        color, end = _color(label.level), 1 + LEADER / self._pixels()
        if self.scale.holds(label.level.value):
            self._leader((1, label.height), (end, place), color)
        begin = end + 4 / self._pixels()
        self._beside((begin, place), label.text, SMALL, color=color, gid="label")

    def _leader(self, begin: tuple[float, float], end: tuple[float, float], color: str) -> None:
        self.axes.plot(
            *zip(begin, end, strict=True),
            color=color,
            linewidth=1.5,
            clip_on=False,
            zorder=3,
            gid="leader",
        )

    def _beside(
        self, place: tuple[float, float], text: str, size: float, weight: str = "normal", **how: Any
    ) -> None:
        """Write a text beside the axes, smaller if it is too wide."""
        size *= min(1.0, WIDEST / max(1.0, self._wide(text, size, weight=weight)))
        x, y = place
        self.axes.text(x, y, text, fontsize=size, weight=weight, zorder=8, **OVER, **how)

    def _labels_with_room(self) -> list[LevelLabel]:
        """Labels by height: those nearest to the last value, if there is no room for all."""
        labels = self._level_labels()
        heights = [each.height for each in labels]
        return [labels[index] for index in with_room(heights, self._last_height(), self._apart())]

    def _level_labels(self) -> list[LevelLabel]:
        levels = sorted(self.chart.levels)
        heights = [min(1.0, max(0.0, self.scale.height(level.value))) for level in levels]
        return [
            LevelLabel(level, height, self._called(level))
            for level, height in zip(levels, heights, strict=True)
        ]

    def _called(self, level: Level) -> str:
        """The label of a level: the rule's name if there are several, an arrow if off the scale.

        A name is cut where the label would be too wide; a number never is.
        """
        several = len({each.rule for each in self.chart.levels}) > 1
        beyond = ""
        if not self.scale.holds(level.value):
            beyond = DOWN if level.value < self.scale.low else UP
        word = "" if several else "limit"
        if level.clear:
            word = "ends"
        name = level.rule if several else ""
        number = format_exact(level.value, self.chart.unit)
        text = _joined(beyond, name, word, number)
        while name and self._wide(text, SMALL) > WIDEST:
            name = f"{name[:-2]}…" if len(name) > SHORTEST else ""
            text = _joined(beyond, name, word, number)
        return text

    # Measures.

    def _is_value_beside(self) -> bool:
        """Whether the last value stands where the labels do."""
        last = self.chart.last
        return last is not None and (
            self._x(last.at) * self._pixels() + self._value_width() > self._pixels()
        )

    def _last_height(self) -> float:
        last = self.chart.last
        return 0.5 if last is None else self.scale.height(last.value)

    def _value_width(self) -> float:
        """Pixels from the last point to the end of its value."""
        value = self._value()
        return min(WIDEST, self._wide(value, MIDDLE, weight="bold")) + BESIDE if value else 0.0

    def _apart(self) -> float:
        """The least distance of two labels, as a part of the height."""
        return APART / (self.axes.get_position().height * self.figure.get_figheight() * DPI)

    def _x(self, at: Millis) -> float:
        begin, end = self.span
        return (at - begin) / max(1, end - begin)

    def _middle(self, span: ChartSpan) -> float:
        return (self._x(span.since) + self._x(span.until)) / 2

    def _long(self, span: ChartSpan) -> float:
        """Pixels."""
        return (self._x(span.until) - self._x(span.since)) * self._pixels()

    def _pixels(self) -> float:
        return self.axes.get_position().width * WIDTH

    def _wide(self, text: str, size: float, **how: Any) -> float:
        return text_width(self.figure, text, size, **how)


def text_width(figure: Figure, text: str, size: float, **how: Any) -> float:
    """The width of a text on a figure, in pixels."""
    shown = figure.text(0, 0, text, fontsize=size, **how)
    width = shown.get_window_extent().width
    shown.remove()
    return float(width)


def record_begins(chart: Chart) -> str:
    """The hint that there is nothing from before; with the day if that is not the last one's."""
    begins, until = (
        local_time(at, chart.zone) for at in (chart.begins or chart.span.since, chart.span.until)
    )
    form = "%H:%M" if begins.date() == until.date() else "%-d %b %H:%M"
    return f"record begins {begins.strftime(form)}"


def _color(level: Level) -> str:
    return CLEAR if level.clear else LIMIT


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
