"""One chart of a picture: its axes with lines, levels and spans."""

from typing import Any

from matplotlib.figure import Figure

from daemon.charts.chart import Chart, ChartSpan
from daemon.charts.drawing.panel_axes import (
    CLEAR,
    EDGE,
    FIRING,
    GAP,
    GREY,
    GRID,
    INFINITE,
    INK,
    LARGE,
    LIMIT,
    LINE,
    MIDDLE,
    OVER,
    SIDE,
    SMALL,
    WIDTH,
    PanelAxes,
    figure_height,
)
from daemon.charts.drawing.side_labels import SideLabels
from daemon.charts.labels import free_height
from daemon.charts.time_axis import MOST, Tick, local_time, time_ticks
from daemon.charts.value_axis import make_scale

VISIBLE = 3.0
"""Least width of a span in pixels, however short it is."""

HATCHED = 10.0
"""Width in pixels from which a gap is hatched."""

AROUND = 1.3
"""Room around a text within the axes, in heights of a label."""

BELOW = 0.62
"""Distance of `firing` from the top, in heights of a label."""

DENSE = 400
"""Number of points from which the line is thinner."""

RIM = 6
"""Least pixels between a text and the edge of the picture."""

NOTHING = "no readings in this time"
INFINITY = "\N{INFINITY}"


class Panel:
    """One chart on a figure; `span` is the time axis, `ticks` the most of the value axis."""

    def __init__(self, chart: Chart, figure: Figure, span: ChartSpan, ticks: int) -> None:
        values = [point.value for line in chart.lines for point in line]
        levels = [level.value for level in chart.levels]
        scale = make_scale(values, levels, chart.unit, ticks)
        axes = figure.add_axes((0, 0, 1, 1), facecolor="none", xlim=(0, 1), ylim=(0, 1))
        self.chart = chart
        self._panel = PanelAxes(chart, figure, span, scale, axes)
        self._labels = SideLabels(self._panel)
        self._axes, self._scale = axes, scale

    def left_margin(self) -> float:
        """Pixels for the labels of the value axis."""
        labels = (self._panel.text_width(label, SMALL) for _, label in self._scale.ticks)
        return max(SIDE, max(labels, default=0) + EDGE + 8, self._half_a_time())

    def right_margin(self, left: float) -> float:
        """Pixels for the labels beside the axes, if those begin at `left`."""
        return max(self._labels.margin(left), self._half_a_time())

    def place(self, left: float, bottom: float, width: float, height: float) -> None:
        """Put the axes to a place in pixels."""
        tall = figure_height(self._panel.figure)
        self._axes.set_position((left / WIDTH, bottom / tall, width / WIDTH, height / tall))

    def draw(self, *, with_times: bool) -> None:
        self._frame(with_times=with_times)
        self._spans()
        self._levels()
        self._lines()
        self._labels.draw()

    # Around the data.

    def _frame(self, *, with_times: bool) -> None:
        axes = self._axes
        axes.spines[["left", "top", "right"]].set_visible(False)
        axes.spines["bottom"].set_color(GREY)
        ticks = self._time_ticks()
        # Two lines each, so all labels have the same height.
        labels = [f"{tick.label}\n " if with_times else "" for tick in ticks]
        axes.set_xticks([self._panel.x(tick.at) for tick in ticks], labels)
        axes.set_yticks(
            [self._scale.height(at) for at, _ in self._scale.ticks],
            [label for _, label in self._scale.ticks],
        )
        axes.tick_params(labelsize=SMALL, labelcolor=INK, color=GREY, length=6, width=1.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color=GRID, linewidth=1.5, zorder=1)

    def _half_a_time(self) -> float:
        """Pixels by which a time at an end of the axis may stand out."""
        ticks = time_ticks(self._panel.span, self.chart.zone)
        widths = (self._panel.text_width(tick.label, SMALL) for tick in ticks)
        return max(widths, default=0) / 2 + RIM

    def _time_ticks(self) -> list[Tick]:
        """As many ticks as have room side by side."""
        span, zone = self._panel.span, self.chart.zone
        for most in range(MOST, 1, -1):
            ticks = time_ticks(span, zone, most)
            widest = max((self._panel.text_width(tick.label, SMALL) for tick in ticks), default=0)
            if len(ticks) * (widest + EDGE) <= self._panel.width():
                return ticks
        return time_ticks(span, zone, 1)

    # Spans.

    def _spans(self) -> None:
        for span in self.chart.firing:
            self._span(span, FIRING)
            self._say(span, "firing", 1 - BELOW * self._panel.apart(), LIMIT)
        for span in self.chart.gaps:
            self._span(span, GAP, hatch="//" if self._panel.length(span) > HATCHED else None)
            if self.chart.lines or self.chart.infinite:
                self._say(span, "no readings", 0.5, GREY)
        for span in self.chart.infinite:
            self._span(span, INFINITE)
            self._write(self._panel.middle(span), 0.8, INFINITY, LARGE, INK)
        if not self.chart.lines and not self.chart.infinite:
            text = record_begins(self.chart) if self.chart.is_before_record else NOTHING
            height = free_height(0.5, self._heights(), self._panel.apart())
            self._write(0.5, height, text, MIDDLE, INK)

    def _span(self, span: ChartSpan, color: str, **how: Any) -> None:
        begin, end = self._panel.x(span.since), self._panel.x(span.until)
        missing = max(0.0, VISIBLE - self._panel.length(span)) / self._panel.width() / 2
        self._axes.axvspan(
            begin - missing, end + missing, facecolor=color, edgecolor="none", zorder=0, **how
        )

    def _say(self, span: ChartSpan, text: str, height: float, color: str) -> None:
        """Write text in the middle of the span, if it fits, where no line runs through it."""
        if self._panel.text_width(text, SMALL) + EDGE < self._panel.length(span):
            taken = [*self._heights(), *self._heights_within(span)]
            free = free_height(height, taken, AROUND * self._panel.apart())
            self._write(self._panel.middle(span), free, text, SMALL, color)

    def _write(self, x: float, y: float, text: str, size: float, color: str) -> None:
        self._axes.text(x, y, text, fontsize=size, color=color, ha="center", zorder=7, **OVER)

    def _heights(self) -> list[float]:
        """Heights of the lines of the levels."""
        levels = (level.value for level in self.chart.levels)
        return [self._scale.height(value) for value in levels if self._scale.holds(value)]

    def _heights_within(self, span: ChartSpan) -> list[float]:
        """Heights of the points in a span, its ends included."""
        return [
            self._scale.height(point.value)
            for line in self.chart.lines
            for point in line
            if span.since <= point.at <= span.until
        ]

    # Lines.

    def _levels(self) -> None:
        for level in self.chart.levels:
            if self._scale.holds(level.value):
                self._axes.axhline(
                    self._scale.height(level.value),
                    color=CLEAR if level.clear else LIMIT,
                    linewidth=2.5,
                    linestyle=(0, (5, 3)),
                    zorder=5,
                    gid="level",
                )

    def _lines(self) -> None:
        lines = [
            [(self._panel.x(at), self._scale.height(value)) for at, value in line]
            for line in self.chart.lines
        ]
        width = 3.0 if sum(map(len, lines)) < DENSE else 2.0
        for line in lines:
            style = (
                {"linewidth": width} if len(line) > 1 else {"marker": "o", "markersize": width + 2}
            )
            self._axes.plot(
                *zip(*line, strict=True),
                color=LINE,
                solid_joinstyle="round",
                zorder=4,
                gid="readings",
                **style,
            )


def record_begins(chart: Chart) -> str:
    """The hint that there is nothing from before; with the day if that is not the last one's."""
    begins, until = (
        local_time(at, chart.zone) for at in (chart.begins or chart.span.since, chart.span.until)
    )
    form = "%H:%M" if begins.date() == until.date() else "%-d %b %H:%M"
    return f"record begins {begins.strftime(form)}"
