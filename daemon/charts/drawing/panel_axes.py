"""The axes of one chart, and how its instants, values and texts measure on them.

Inside the axes both coordinates run from 0 to 1. Texts and margins are measured in pixels.
"""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from daemon.charts.chart import Chart, ChartSpan
from daemon.charts.value_axis import Scale
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

APART = 28
"""Least distance between the centres of two labels, in pixels."""

PAPER, INK, GREY, GRID = "#ffffff", "#1b1f24", "#57606a", "#d8dee4"
LINE, LIMIT, CLEAR = "#0b5cad", "#c01c1c", "#12753c"
FIRING, GAP, INFINITE = "#ffd9d4", "#e6eaee", "#efd9fa"

OVER: Any = {"va": "center", "path_effects": [withStroke(linewidth=4, foreground=PAPER)]}
"""Style of text over lines: a rim keeps letters readable and hides as little as possible."""


@dataclass(frozen=True, slots=True)
class PanelAxes:
    """The axes of one chart on a figure."""

    chart: Chart
    figure: Figure
    span: ChartSpan
    """The time axis, the same for all charts of a picture."""
    scale: Scale
    axes: Axes

    def x(self, at: Millis) -> float:
        begin, end = self.span
        return (at - begin) / max(1, end - begin)

    def middle(self, span: ChartSpan) -> float:
        return (self.x(span.since) + self.x(span.until)) / 2

    def length(self, span: ChartSpan) -> float:
        """The length of a span, in pixels."""
        return (self.x(span.until) - self.x(span.since)) * self.width()

    def width(self) -> float:
        """The width of the axes, in pixels."""
        return self.axes.get_position().width * WIDTH

    def apart(self) -> float:
        """The least distance of two labels, as a part of the height."""
        return APART / (self.axes.get_position().height * figure_height(self.figure))

    def text_width(self, text: str, size: float, **how: Any) -> float:
        return text_width(self.figure, text, size, **how)


def figure_height(figure: Figure) -> float:
    """The height of a figure, in pixels."""
    return figure.get_figheight() * DPI


def text_width(figure: Figure, text: str, size: float, **how: Any) -> float:
    """The width of a text on a figure, in pixels."""
    shown = figure.text(0, 0, text, fontsize=size, **how)
    width = shown.get_window_extent().width
    shown.remove()
    return float(width)
