"""Draws a chart with matplotlib, which only this module imports, in the render process only.

Made for a phone that shows it 360 pixels wide: large type, few ticks, thick lines. It has its own
background, so light and dark mail show the same picture.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from daemon.charts.chart import Chart, ChartSpan, Level, Unit
from daemon.charts.time_axis import time_ticks
from daemon.charts.value_axis import Scale, format_exact, format_short, make_scale, spread_labels
from daemon.types import Millis

WIDTH, HEIGHT = 800, 450
"""Size of the picture in pixels."""

DPI = 100
LARGE, MIDDLE, SMALL = 22.0, 18.0, 16.0
"""Font sizes in points; the small one is still 10 pixels high when the picture is 360 wide."""

EDGE, HEAD, FOOT = 14, 92, 68
"""Pixels around the picture, above the axes, and below them."""

SIDE, WIDEST = 44, 280
"""Pixels beside the axes, least and most."""

LONGEST = 100
"""Characters of a line in the header."""

PAPER, INK, GREY, GRID = "#ffffff", "#1b1f24", "#57606a", "#d8dee4"
LINE, THRESHOLD, CLEAR = "#0b5cad", "#c01c1c", "#12753c"
FIRING, GAP, INFINITE = "#ffd9d4", "#e6eaee", "#efd9fa"

STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "text.parse_math": False,  # a name may contain a dollar
    "path.simplify": False,  # points are down-sampled already, and keep their extremes
    "hatch.color": "#c3cad1",
    "hatch.linewidth": 1.5,
}

OVER: Any = {"va": "center", "path_effects": [withStroke(linewidth=4, foreground=PAPER)]}
"""Style of text over lines: a rim keeps letters readable and hides as little as possible."""

VISIBLE = 3.0
"""Least width of a span in pixels, however short it is."""

HATCHED = 10.0
"""Width in pixels from which a gap is hatched."""

NEAR = 0.35
"""Part of the width beside each edge in which a label must not cover a line."""

APART = 32
"""Least distance between the centres of two labels, in pixels."""

NAME = 18
"""Characters of a rule's name beside its level."""

DENSE = 400
"""Number of points from which the line is thinner."""

NOTHING = "no readings in these hours"
INFINITY, UP, DOWN = "\N{INFINITY}", "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"


def render_png(chart: Chart) -> bytes:
    """Render a chart as PNG."""
    with mpl.rc_context(STYLE):
        figure = Figure(
            figsize=(WIDTH / DPI, HEIGHT / DPI),
            dpi=DPI,
            facecolor=PAPER,
            edgecolor=GRID,
            linewidth=3,
        )
        _Picture(chart, figure).draw()
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
        return out.getvalue()


@dataclass
class _Picture:
    """One chart on one figure. Inside the axes both coordinates run from 0 to 1."""

    chart: Chart
    figure: Figure
    axes: Axes = field(init=False)
    scale: Scale = field(init=False)

    def __post_init__(self) -> None:
        chart = self.chart
        values = [point.value for line in chart.lines for point in line]
        self.scale = make_scale(values, [level.value for level in chart.levels], chart.unit)
        self.axes = self.figure.add_axes(self._place(), facecolor="none", xlim=(0, 1), ylim=(0, 1))

    def draw(self) -> None:
        self._head()
        self._frame()
        self._spans()
        self._levels()
        self._lines()
        self._last()

    # Around the axes.

    def _place(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of the axes, as fractions of the picture."""
        left = max(
            SIDE, *(self._wide(label, SMALL) + EDGE + 8 for _, label in self.scale.ticks), SIDE
        )
        right = float(SIDE)
        if self.chart.last is not None:
            beside = (1 - self._x(self.chart.last.at)) * (WIDTH - left - SIDE)
            right = max(
                right, self._wide(self._value(), MIDDLE, weight="bold") + EDGE + 12 - beside
            )
        left, right = min(left, WIDEST), min(right, WIDEST)
        return (
            left / WIDTH,
            FOOT / HEIGHT,
            (WIDTH - left - right) / WIDTH,
            (HEIGHT - HEAD - FOOT) / HEIGHT,
        )

    def _head(self) -> None:
        chart = self.chart
        unit = "USDT" if chart.unit is Unit.USDT else ""
        infinite = f"{INFINITY} left out" if chart.infinite else ""
        parts = filter(
            None, (chart.field if chart.title else "", chart.account, unit, chart.note, infinite)
        )
        self._line(HEIGHT - 34, chart.title or chart.field, LARGE, weight="bold", color=INK)
        self._line(HEIGHT - 68, " · ".join(parts), SMALL, color=GREY)

    def _line(self, y: float, text: str, size: float, **how: Any) -> None:
        """Write a header line, in the largest size that fits; cut only below a readable size."""
        text = text[:LONGEST]
        while self._wide(text, size, **how) > WIDTH - 2 * EDGE:
            if size > SMALL - 3:
                size -= 1
            else:
                text = f"{text[:-2]}…"
        self.figure.text(EDGE / WIDTH, y / HEIGHT, text, fontsize=size, va="center", **how)

    def _frame(self) -> None:
        chart, axes = self.chart, self.axes
        axes.spines[["left", "top", "right"]].set_visible(False)
        axes.spines["bottom"].set_color(GREY)
        ticks = time_ticks(chart.span, chart.zone)
        # Two lines each, so all labels have the same height.
        axes.set_xticks(
            [self._x(tick.at) for tick in ticks], [f"{tick.label}\n " for tick in ticks]
        )
        axes.set_yticks(
            [self.scale.height(at) for at, _ in self.scale.ticks],
            [label for _, label in self.scale.ticks],
        )
        axes.tick_params(labelsize=SMALL, labelcolor=INK, color=GREY, length=6, width=1.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color=GRID, linewidth=1.5, zorder=1)

    # Within the axes.

    def _spans(self) -> None:
        for span in self.chart.firing:
            self._span(span, FIRING)
            self._say(span, "firing", 0.94, THRESHOLD)
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
            self.axes.text(0.5, 0.5, NOTHING, fontsize=MIDDLE, color=INK, ha="center", **OVER)

    def _span(self, span: ChartSpan, color: str, **how: Any) -> None:
        begin, end = self._x(span.since), self._x(span.until)
        missing = max(0.0, VISIBLE - self._long(span)) / self._pixels() / 2
        self.axes.axvspan(
            begin - missing, end + missing, facecolor=color, edgecolor="none", zorder=0, **how
        )

    def _say(self, span: ChartSpan, text: str, height: float, color: str) -> None:
        """Write text in the middle of the span, if it fits."""
        if self._wide(text, SMALL) + EDGE < self._long(span):
            place = self._middle(span), height
            self.axes.text(*place, text, fontsize=SMALL, color=color, ha="center", zorder=5, **OVER)

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
                *zip(*line, strict=True), color=LINE, solid_joinstyle="round", zorder=4, **style
            )

    def _last(self) -> None:
        last = self.chart.last
        if last is None:
            return
        place = self._x(last.at), self.scale.height(last.value)
        self.axes.plot(
            *place, "o", color=LINE, markersize=9, markeredgecolor=PAPER, clip_on=False, zorder=6
        )
        self.axes.annotate(
            self._value(),
            place,
            xytext=(8, 0),
            textcoords="offset points",
            fontsize=MIDDLE,
            weight="bold",
            color=LINE,
            zorder=6,
            **OVER,
        )

    def _value(self) -> str:
        last, levels = self.chart.last, (level.value for level in self.chart.levels)
        if last is None:
            return ""
        return format_short(last.value, self.scale.step, levels, self.chart.unit)

    def _levels(self) -> None:
        """Draw each level as a line with its number, on the side with the fewest lines."""
        levels = sorted(self.chart.levels)
        heights = [min(1.0, max(0.0, self.scale.height(level.value))) for level in levels]
        texts = [self._called(level) for level in levels]
        wide = max((self._wide(text, SMALL) for text in texts), default=0) / self._pixels() + 0.02
        left = self._room(heights, 0.0) >= self._room(heights, 1.0)
        x, side, ends = (0.01, "left", (wide, 1.0)) if left else (0.99, "right", (0.0, 1 - wide))
        tall = self.axes.get_position().height * HEIGHT
        places = spread_labels(heights, min(APART / tall, 1 / max(1, len(levels))))
        for level, height, place, text in zip(levels, heights, places, texts, strict=True):
            color = CLEAR if level.clear else THRESHOLD
            if self.scale.holds(level.value):
                self.axes.axhline(
                    height, *ends, color=color, linewidth=2.5, linestyle=(0, (5, 3)), zorder=5
                )
            self.axes.text(x, place, text, fontsize=SMALL, color=color, ha=side, zorder=6, **OVER)

    def _called(self, level: Level) -> str:
        """The label of a level: the rule's name if there are several, an arrow if off the scale."""
        several = len({each.rule for each in self.chart.levels}) > 1
        beyond = ""
        if not self.scale.holds(level.value):
            beyond = DOWN if level.value < self.scale.low else UP
        word = "" if several else "threshold"
        if level.clear:
            word = "clears at"
        name = level.rule if len(level.rule) <= NAME else f"{level.rule[: NAME - 1]}…"
        parts = (beyond, name if several else "", word, format_exact(level.value, self.chart.unit))
        return " ".join(filter(None, parts))

    def _room(self, heights: Sequence[float], side: float) -> float:
        """Distance of the lines from these heights on one side."""
        near = [
            point.value
            for line in self.chart.lines
            for point in line
            if abs(self._x(point.at) - side) < NEAR
        ]
        read = [self.scale.height(value) for value in near]
        return min((abs(one - height) for one in read for height in heights), default=1.0)

    # Measures.

    def _x(self, at: Millis) -> float:
        begin, end = self.chart.span
        return (at - begin) / max(1, end - begin)

    def _middle(self, span: ChartSpan) -> float:
        return (self._x(span.since) + self._x(span.until)) / 2

    def _long(self, span: ChartSpan) -> float:
        """Pixels."""
        return (self._x(span.until) - self._x(span.since)) * self._pixels()

    def _pixels(self) -> float:
        return self.axes.get_position().width * WIDTH

    def _wide(self, text: str, size: float, **how: Any) -> float:
        """Pixels."""
        shown = self.figure.text(0, 0, text, fontsize=size, **how)
        width = shown.get_window_extent().width
        shown.remove()
        return float(width)
