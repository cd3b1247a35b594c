"""Draws a picture of one chart or several.

Several charts stand one above the other on the same time axis, each with its own value axis. Made
for a phone that shows it 360 pixels wide: large type, few ticks, thick lines. It has its own
background, so light and dark mail show the same picture.
"""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from daemon.charts.chart import Chart, Unit, common_span
from daemon.charts.drawing.panel import INFINITY, Panel, record_begins
from daemon.charts.drawing.panel_axes import (
    DPI,
    EDGE,
    GREY,
    GRID,
    INK,
    LARGE,
    MIDDLE,
    PAPER,
    SMALL,
    WIDTH,
    figure_height,
    text_width,
)

STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "text.parse_math": False,  # a name may contain a dollar
    "path.simplify": False,  # points are down-sampled already, and keep their extremes
    "hatch.color": "#c3cad1",
    "hatch.linewidth": 1.5,
}

FOOT = 68
"""Pixels below the lowest axes, for the times."""

LONGEST = 100
"""Characters of a line in a header."""


class Layout(NamedTuple):
    """Sizes in pixels, and the most ticks of a value axis."""

    head: int
    """Above the axes: the header."""
    axes: int
    """Height of the axes."""
    ticks: int


ALONE = Layout(head=92, axes=290, ticks=5)
AMONG = Layout(head=68, axes=170, ticks=4)
"""One chart of several."""


def render_png(charts: Sequence[Chart]) -> bytes:
    """Render charts as PNG, one above the other."""
    with mpl.rc_context(STYLE):
        out = io.BytesIO()
        make_figure(charts).savefig(out, format="png", metadata={"Software": None})
        return out.getvalue()


def make_figure(charts: Sequence[Chart]) -> Figure:
    """Lay out the charts and draw them; the time axis holds the spans of all."""
    layout = ALONE if len(charts) == 1 else AMONG
    tall = len(charts) * (layout.head + layout.axes) + FOOT
    figure = Figure(
        figsize=(WIDTH / DPI, tall / DPI), dpi=DPI, facecolor=PAPER, edgecolor=GRID, linewidth=3
    )
    span = common_span(charts)
    panels = [Panel(chart, figure, span, layout.ticks) for chart in charts]
    left = max(panel.left_margin() for panel in panels)
    right = max(panel.right_margin(left) for panel in panels)
    for number, panel in enumerate(panels):
        top = tall - number * (layout.head + layout.axes)
        panel.place(left, top - layout.head - layout.axes, WIDTH - left - right, layout.axes)
        panel.draw(with_times=number == len(panels) - 1)
        _head(figure, panel.chart, top, layout)
    return figure


def _head(figure: Figure, chart: Chart, top: float, layout: Layout) -> None:
    """The title of a chart, and a line with what else there is to say."""
    unit = "USDT" if chart.unit is Unit.USDT else ""
    infinite = f"{INFINITY} left out" if chart.infinite else ""
    begins = "" if chart.begins is None else record_begins(chart)
    named = chart.field if chart.title else ""
    facts = " · ".join(filter(None, (named, chart.account, unit, chart.note, infinite, begins)))
    title = chart.title or chart.field
    if layout is ALONE:
        _line(figure, (EDGE, top - 34), title, LARGE, weight="bold", color=INK)
        _line(figure, (EDGE, top - 68), facts, SMALL, color=GREY)
        return
    end = _line(figure, (EDGE, top - 44), title, MIDDLE, weight="bold", color=INK)
    _line(figure, (end + EDGE, top - 44), facts, SMALL, color=GREY)


def _line(figure: Figure, place: tuple[float, float], text: str, size: float, **how: Any) -> float:
    """Write a header line; returns where it ends, in pixels.

    It has the largest size that fits, and is cut only below a readable one.
    """
    x, y = place
    text = text[:LONGEST]
    while len(text) > 1 and x + text_width(figure, text, size, **how) > WIDTH - EDGE:
        if size > SMALL - 3:
            size -= 1
        else:
            text = f"{text[:-2]}…"
    figure.text(x / WIDTH, y / figure_height(figure), text, fontsize=size, va="center", **how)
    return x + text_width(figure, text, size, **how)
