"""Where things stand in a picture (daemon/charts/drawing/): places, not pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from daemon.charts.chart import Chart, ChartSpan, Level, Point, Unit
from daemon.charts.drawing.figure import STYLE, make_figure
from daemon.types import HOUR, MINUTE, SECOND
from tests.fakes import NOON

SPAN = ChartSpan(NOON - 6 * HOUR, NOON)
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    """The fonts of a picture."""
    with mpl.rc_context(STYLE):
        yield


def line(*values: str, span: ChartSpan = SPAN) -> tuple[Point, ...]:
    """Values at equal distances, from one end of the span to the other."""
    step = (span.until - span.since) // max(1, len(values) - 1)
    return tuple(
        Point(span.since + number * step, Decimal(each)) for number, each in enumerate(values)
    )


def chart(*values: str, levels: Sequence[Level] = ()) -> Chart:
    lines = (line(*values),) if values else ()
    return Chart("available_margin", "main", SPAN, ZONE, lines=lines, levels=tuple(levels))


def level(value: str, rule: str = "low-margin", *, clear: bool = False) -> Level:
    return Level(Decimal(value), rule, clear)


LEVELS = (
    level("200", "lowish"),
    level("210", "lowish", clear=True),
    level("100"),
    level("120", clear=True),
    level("50", "margin-critical"),
)
FALLING = chart("275", "250", "180", "95.173", levels=LEVELS)


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def texts(figure: Figure, gid: str) -> list[Text]:
    return [each for axes in figure.axes for each in axes.texts if each.get_gid() == gid]


def written(found: Sequence[Text]) -> list[str]:
    return [each.get_text() for each in found]


def labels_of(figure: Figure) -> dict[str, float]:
    """The height of each label of a level, in pixels."""
    return {each.get_text(): middle(each.get_window_extent()) for each in texts(figure, "label")}


def middle(box: Bbox) -> float:
    return float(box.y0 + box.y1) / 2


def pixels(axes: Axes, gid: str) -> list[list[tuple[float, float]]]:
    """Ends of lines in pixels."""
    return [
        [tuple(place) for place in each.get_transform().transform(each.get_xydata())]
        for each in axes.lines
        if each.get_gid() == gid
    ]


def height_of(figure: Figure, value: str) -> float:
    """The height of a value in pixels, by the ticks beside it."""
    axes = axes_of(figure)
    ticks = sorted(
        (Decimal(label.get_text()), at)
        for at, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    )
    (low, bottom), (high, top) = ticks[0], ticks[-1]
    part = float((Decimal(value) - low) / (high - low))
    return float(axes.transData.transform((0, bottom + part * (top - bottom)))[1])


# Labels of levels.


def test_f8_a_label_stands_at_the_height_of_its_line() -> None:
    """F8: within a pixel or two, if there is room."""
    figure = make_figure([chart("340", "250", levels=[level("100"), level("200", clear=True)])])
    places = labels_of(figure)
    assert places["limit 100"] == pytest.approx(height_of(figure, "100"), abs=2)
    assert places["ends 200"] == pytest.approx(height_of(figure, "200"), abs=2)


def test_f8_a_label_that_moved_is_tied_to_its_line() -> None:
    """F8: each leader goes from the end of the line to the height of the label."""
    figure = make_figure([FALLING])
    axes = axes_of(figure)
    ends = {round(begin[1]): end[1] for begin, end in pixels(axes, "leader")}
    lines = sorted(round(places[0][1]) for places in pixels(axes, "level"))
    assert sorted(ends) == lines
    heights = sorted(labels_of(figure).values())
    assert sorted(ends.values()) == pytest.approx(heights, abs=3)


def test_f8_leaders_do_not_cross() -> None:
    """F8: labels keep the order of their lines."""
    leaders = sorted(pixels(axes_of(make_figure([FALLING])), "leader"), key=lambda each: each[0][1])
    assert [end for _, (_, end) in leaders] == sorted(end for _, (_, end) in leaders)


FIVE = Decimal(5)
GAP = ChartSpan(NOON - 3 * HOUR, NOON - HOUR)
CASES = {
    "five levels": FALLING,
    "a value between its levels": chart("340", "110", levels=LEVELS),
    "a value at its level": chart("340", "100", levels=LEVELS),
    "a level above the axis": chart("1", "1.01", levels=[level("100", "high"), *LEVELS]),
    "a gap in the middle": replace(FALLING, gaps=(GAP,)),
    "a gap at the end": replace(
        FALLING, lines=(line("275", "180", span=ChartSpan(SPAN.since, GAP.since)),),
        gaps=(ChartSpan(GAP.since, NOON),),
    ),
    "nothing read": replace(FALLING, lines=(), gaps=(SPAN,)),
    "one reading": replace(FALLING, lines=((Point(NOON, Decimal(275)),),)),
    "firing": replace(FALLING, firing=(ChartSpan(NOON - 4 * HOUR, NOON),)),
    "forty levels": chart(
        "340", "92.9", levels=[level(str(each), f"rule {each}") for each in range(60, 100)]
    ),
    "long names": chart(
        "340", "92.9", levels=[level(str(each), f"{each}" * 20) for each in range(100, 300, 40)]
    ),
    "a long number": chart("1000000000.001", "1000000000.002", levels=[level("1000000000.0015")]),
    "percentages": replace(
        chart("0.3", "0.7998"),
        unit=Unit.PERCENT,
        levels=(Level(Decimal("0.8"), "usage", percent=True),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_f8_no_text_hides_another(case: Chart) -> None:
    """F8: labels, the last value, `firing` and `no readings` stand apart."""
    shown = [
        (each.get_text(), each.get_window_extent()) for each in axes_of(make_figure([case])).texts
    ]
    hidden = [
        (one, other)
        for (one, box), (other, beside) in combinations(shown, 2)
        if Bbox.intersection(box.padded(-3), beside.padded(-3)) is not None
    ]
    assert hidden == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_f8_all_is_inside_the_picture(case: Chart) -> None:
    """F8: no label and no value is cut off, however long."""
    figure = make_figure([case])
    boxes = [each.get_window_extent() for each in (*figure.texts, *axes_of(figure).texts)]
    assert all(box.x0 >= 0 and box.x1 <= 800 and box.y0 >= 0 and box.y1 <= 450 for box in boxes)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_f8_labels_of_levels_are_beside_the_data(case: Chart) -> None:
    """F8: never over the line, a gap or a shade."""
    figure = make_figure([case])
    right = axes_of(figure).get_window_extent().x1
    assert all(each.get_window_extent().x0 >= right for each in texts(figure, "label"))


def test_f8_names_are_cut_but_numbers_never() -> None:
    """F8: a name of 64 characters leaves its number room."""
    figure = make_figure([chart("340", levels=[level("100", "x" * 64), level("120.5", "y" * 64)])])
    found = written(texts(figure, "label"))
    assert [each.split("… ")[1] for each in found] == ["100", "120.5"]
    whole, cut = "margin-critical 50", "low-ma… ends 120"
    assert {whole, cut} <= {*written(texts(make_figure([FALLING]), "label"))}


def test_f8_an_arrow_points_to_a_level_beyond_the_axis() -> None:
    """F8: it has no line, so no leader."""
    figure = make_figure([chart("1000000000", "1000000001", levels=[level("100")])])
    assert written(texts(figure, "label")) == ["↓ limit 100"]
    assert pixels(axes_of(figure), "leader") == []


# The last value.


def test_f8_the_last_value_stands_beside_its_point() -> None:
    """F8: two decimals; levels make room for it."""
    figure = make_figure([FALLING])
    (value,) = texts(figure, "value")
    assert value.get_text() == "95.17"
    height = height_of(figure, "95.173")
    assert middle(value.get_window_extent()) == pytest.approx(height, abs=3)


def test_f8_a_value_before_a_gap_stands_beside_its_point() -> None:
    """F8: not at the end of the axis, as if it were of now."""
    figure = make_figure([CASES["a gap at the end"]])
    (value,) = texts(figure, "value")
    axes = axes_of(figure).get_window_extent()
    assert value.get_window_extent().x0 == pytest.approx(axes.x0 + axes.width / 2 + 11, abs=2)


# Where the record begins.


def heads(figure: Figure) -> str:
    return " | ".join(each.get_text() for each in figure.texts)


def test_f8_the_header_says_when_the_record_begins() -> None:
    """F8: with the day, if that is not the day at the right end."""
    early, today = NOON - 30 * HOUR, NOON - 3 * MINUTE
    for begins, hint in ((today, "record begins 11:57"), (early, "record begins 31 Dec 06:00")):
        figure = make_figure([replace(FALLING, span=ChartSpan(begins, NOON), begins=begins)])
        assert hint in heads(figure)
    assert "record" not in heads(make_figure([FALLING]))


@pytest.mark.parametrize(
    ("begins", "text"),
    [(None, "no readings in this time"), (NOON + 2 * HOUR, "record begins 14:00")],
)
def test_f8_an_empty_chart_says_why(begins: int | None, text: str) -> None:
    """F8: nothing was read, or the record is younger."""
    figure = make_figure([replace(FALLING, lines=(), begins=begins)])
    assert text in written(axes_of(figure).texts)


@pytest.mark.parametrize("span", [SECOND, MINUTE, 3 * MINUTE, HOUR, 24 * HOUR, 7 * 24 * HOUR])
def test_f8_times_stand_apart(span: int) -> None:
    """F8: at least two of them, whatever the span; none is cut off."""
    shown = replace(
        chart("5", "4"), span=ChartSpan(NOON - span, NOON), lines=((Point(NOON - span, FIVE),),)
    )
    axes = axes_of(make_figure([shown]))
    boxes = [each.get_window_extent() for each in axes.get_xticklabels()]
    assert len(boxes) >= 2
    assert all(box.x0 > 0 and box.x1 < 800 for box in boxes)
    assert all(after.x0 - before.x1 > 4 for before, after in pairwise(boxes))


# Several charts.


def test_f8_several_charts_share_the_time_axis() -> None:
    """F8: one below the other on one axis, each with its own values; the times stand once."""
    freeze = replace(FALLING, field="al_freeze", lines=(line("0", "5000"),), levels=())
    usage = replace(FALLING, field="margin_usage", unit=Unit.RATIO, lines=(line("0.1", "0.2"),))
    figure = make_figure([FALLING, freeze, replace(usage, levels=())])
    boxes = [axes.get_window_extent() for axes in figure.axes]
    assert len({(round(box.x0), round(box.x1)) for box in boxes}) == 1
    assert all(upper.y0 - lower.y1 > 40 for upper, lower in pairwise(boxes))
    scales = [[each.get_text() for each in axes.get_yticklabels()] for axes in figure.axes]
    assert len(set(map(tuple, scales))) == 3
    times = ["".join(each.get_text() for each in axes.get_xticklabels()) for axes in figure.axes]
    assert (times[:2], times[2] != "") == (["", ""], True)


def test_f8_the_common_axis_holds_the_longest_record() -> None:
    """F8: a younger one begins further right, with nothing before it and a hint."""
    begins = NOON - 3 * HOUR
    young = replace(
        FALLING,
        account="desk",
        span=ChartSpan(begins, NOON),
        lines=(line("300", "200", span=ChartSpan(begins, NOON)),),
        begins=begins,
    )
    figure = make_figure([FALLING, young])
    box = figure.axes[1].get_window_extent()
    ((begin, *_),) = pixels(figure.axes[1], "readings")
    assert begin[0] == pytest.approx(box.x0 + box.width / 2)
    assert len(figure.axes[1].patches) == 0
    assert "desk · USDT · record begins 09:00" in heads(figure)


def test_f8_each_chart_is_named_above_its_axes() -> None:
    """F8: by its field and its account."""
    other = replace(FALLING, account="desk")
    figure = make_figure([FALLING, other])
    names = [each for each in figure.texts if each.get_text().startswith(("main", "desk"))]
    for axes, name in zip(figure.axes, names, strict=True):
        top = axes.get_window_extent().y1
        assert 0 < name.get_window_extent().y0 - top < 40
