"""Rendering for real (renderer.py, render_process.py, drawing/): pictures and all failures."""

import asyncio
import io
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise, product
from operator import itemgetter
from pathlib import Path
from typing import TextIO, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from daemon.charts.chart import Chart, ChartSpan, Level, Point, Unit, encode
from daemon.charts.render_process import MEMORY, NICE, PREFIX
from daemon.charts.renderer import DRAWING, LONGEST, MOST, TIMEOUT, Drawer, NotDrawn
from daemon.clock import SystemClock
from daemon.types import HOUR, MINUTE, SECOND
from tests.fakes import NOON, ManualClock

SPAN = ChartSpan(NOON - 6 * HOUR, NOON)
LINE = tuple(
    Point(SPAN.since + at, Decimal(340 - at // 60_000)) for at in range(0, 6 * HOUR, 60_000)
)
"""Falls from 340 to below 0, at one a minute."""

CHART = Chart("available_margin", "main", SPAN, ZoneInfo("Europe/Berlin"), lines=(LINE,))
LEVELS = (Level(Decimal(100), "low-margin"), Level(Decimal(120), "low-margin", clear=True))

Color: TypeAlias = tuple[int, int, int]
RED, GREEN, BLUE, PINK = (192, 28, 28), (18, 117, 60), (11, 92, 173), (255, 217, 212)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of temporary files."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


async def drawn(chart: Chart) -> bytes:
    # On a busy machine five seconds may not be enough, and how long it takes is not what is tested.
    picture = await Drawer(SystemClock(), {}, timeout=120 * SECOND).draw(chart)
    assert isinstance(picture, bytes), picture
    return picture


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture)).convert("RGB")


def pixels(picture: bytes, color: Color) -> list[tuple[int, int]]:
    """Columns and rows of the pixels with exactly this colour."""
    image = opened(picture)
    data, wanted = image.tobytes(), bytes(color)
    places = product(range(image.height), range(image.width))
    return [
        (x, y)
        for number, (y, x) in enumerate(places)
        if data[3 * number : 3 * number + 3] == wanted
    ]


def longest(picture: bytes, color: Color) -> tuple[int, int]:
    """The row with most pixels of this colour, and how many."""
    return max(
        Counter(y for _, y in pixels(picture, color)).items(), key=itemgetter(1), default=(0, 0)
    )


# Pictures.


async def test_f8_a_chart_is_a_picture_for_a_phone(folder: Path) -> None:
    """F8: a whole PNG of 800 x 450, and nothing is left behind."""
    picture = await drawn(CHART)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert opened(picture).size == (800, 450)
    assert left(folder) == []


async def test_f8_several_charts_are_one_picture() -> None:
    """F8: as wide, and higher."""
    picture = await Drawer(SystemClock(), {}, timeout=120 * SECOND).draw(CHART, CHART, CHART)
    assert isinstance(picture, bytes), picture
    width, height = opened(picture).size
    assert (width, height > 600) == (800, True)


async def test_f8_threshold_and_clear_level_are_lines_of_their_own_colours() -> None:
    """F8: a dashed line each, the clear level above the threshold; without them there is none."""
    plain, levelled = await drawn(CHART), await drawn(replace(CHART, levels=LEVELS))
    assert (pixels(plain, RED), pixels(plain, GREEN)) == ([], [])
    (red, dashes), (green, others) = longest(levelled, RED), longest(levelled, GREEN)
    assert min(dashes, others) > 100
    assert green < red


async def test_f8_a_firing_span_is_shaded() -> None:
    """F8: where it fired, and only there: an hour and a half of six."""
    fired = ChartSpan(NOON - 3 * HOUR, NOON - 90 * MINUTE)
    columns = [x for x, _ in pixels(await drawn(replace(CHART, firing=(fired,))), PINK)]
    assert 100 < max(columns) - min(columns) < 200
    assert pixels(await drawn(CHART), PINK) == []


async def test_f8_a_gap_is_empty() -> None:
    """F8: no line crosses two hours without readings, though both sides have a value."""
    gap = ChartSpan(LINE[100].at, LINE[220].at)
    picture = await drawn(replace(CHART, lines=(LINE[:101], LINE[220:]), gaps=(gap,)))
    columns = sorted({x for x, _ in pixels(picture, BLUE)})
    assert max(after - before for before, after in pairwise(columns)) > 150


@pytest.mark.parametrize(
    "chart",
    [
        replace(CHART, lines=()),
        replace(CHART, lines=(), gaps=(SPAN,), levels=LEVELS),
        replace(
            CHART,
            lines=((LINE[9],),),
            gaps=(ChartSpan(SPAN.since, LINE[9].at), ChartSpan(LINE[9].at, NOON)),
        ),
        replace(CHART, lines=(tuple(Point(at, Decimal(500)) for at, _ in LINE),), levels=LEVELS),
        replace(CHART, lines=((Point(SPAN.since, Decimal("1E-8")), Point(NOON, Decimal("1E+9"))),)),
        replace(
            CHART,
            lines=((Point(NOON, Decimal("-9E+300")), Point(NOON, Decimal("1E-300"))),),
            levels=LEVELS,
        ),
        replace(CHART, lines=(), infinite=(SPAN,), unit=Unit.RATIO, field="margin_usage"),
        replace(CHART, unit=Unit.DURATION, levels=LEVELS),
        replace(CHART, span=ChartSpan(NOON, NOON), lines=(), zone=None),
        replace(CHART, lines=(), begins=NOON + HOUR),
        replace(
            CHART,
            account="\N{PILE OF POO} $x^$ " * 20,
            title="$\\frac{1}{0}$" * 2_000,
            note="x" * 500,
        ),
        replace(
            CHART,
            levels=tuple(Level(Decimal(each), f"rule {'x' * 60} {each}") for each in range(60, 90)),
        ),
    ],
)
async def test_f8_whatever_a_chart_holds_there_is_a_picture(chart: Chart) -> None:
    """F8: any chart gives a picture: empty, constant, infinite, hostile texts, too many levels."""
    assert opened(await drawn(chart)).size == (800, 450)


# The process.


def python(code: str, *arguments: object) -> Sequence[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


async def refused(command: Sequence[str]) -> str:
    """Why a drawing that is done by this command fails."""
    ended = await Drawer(SystemClock(), {}, command, 120 * SECOND).draw(CHART)
    assert isinstance(ended, NotDrawn)
    return ended.why


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (
            ["/nowhere/at/all"],
            "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/at/all'",
        ),
        (python("raise ValueError('no  such\\nthing')"), "thing"),
        (python("import sys; sys.exit(3)"), "it ended with status 3"),
        (python("import os; os.abort()"), "it was ended by SIGABRT"),
        (python("print('garbage')"), "what it printed is no picture"),
        (python("pass"), "what it printed is no picture"),
        (
            python(r"import sys; sys.stdout.buffer.write(b'\x89PNG\r\n\x1a\n cut off')"),
            "what it printed is no picture",
        ),
        (python("import sys; sys.exit('x' * 5_000)"), "x" * LONGEST),
        (
            python(f"import sys; sys.stdout.buffer.write(bytes({2 * MOST}))"),
            "what it printed is no picture",
        ),
        (
            python(
                "import sys; sys.modules['matplotlib'] = None;"
                " from daemon.charts import render_process; render_process.main()"
            ),
            "ModuleNotFoundError: import of matplotlib halted; None in sys.modules",
        ),
        (
            python(
                "from daemon.charts import render_process as process;"
                " process.limit_resources(); bytearray(2 * process.MEMORY)"
            ),
            "MemoryError",
        ),
    ],
)
async def test_f8_every_failure_is_a_reason(command: Sequence[str], why: str, folder: Path) -> None:
    """F8: missing program, crash, refusal, garbage, too much output, no memory: a reason."""
    assert await refused(command) == why
    assert left(folder) == []


HANGS = """
import os, subprocess, sys, time
told = open(sys.argv[1], "w")
sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleeping, pass_fds=[told.fileno()])
print(os.getpid(), file=told, flush=True)
time.sleep(600)
"""
"""Tells its number and sleeps, beside a child that does; what it tells through ends with the last
of them.
"""


@dataclass(frozen=True)
class Begun:
    """A process that has told its number."""

    told: TextIO
    process: int

    async def gone(self) -> bool:
        """Wait until the process has ended; whether it was reaped then."""
        with self.told:
            await asyncio.to_thread(self.told.read)
        return not is_there(self.process)


def is_there(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


async def begun(pipe: Path) -> Begun:
    told = await asyncio.to_thread(pipe.open)
    return Begun(told, int(await asyncio.to_thread(told.readline)))


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Through which a process tells its number."""
    os.mkfifo(tmp_path / "told")
    return tmp_path / "told"


async def test_f8_a_drawing_that_hangs_is_killed_when_its_time_is_over(
    folder: Path, pipe: Path
) -> None:
    """F8: after five seconds the process and its children are killed and reaped."""
    clock = ManualClock()
    drawing = asyncio.ensure_future(Drawer(clock, {}, python(HANGS, pipe)).draw(CHART))
    process = await begun(pipe)
    await clock.advance(TIMEOUT - 1)
    assert not drawing.done()
    await clock.advance(1)
    assert await drawing == NotDrawn("it took longer than 5 s")
    assert await process.gone()
    assert left(folder) == []


async def test_f8_a_drawing_whose_caller_is_cancelled_is_killed(folder: Path, pipe: Path) -> None:
    """F8: the caller does not need it any more, so nothing of it goes on."""
    drawing = asyncio.ensure_future(Drawer(ManualClock(), {}, python(HANGS, pipe)).draw(CHART))
    process = await begun(pipe)
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert await process.gone()
    assert left(folder) == []


async def test_f8_one_drawing_at_a_time(folder: Path, pipe: Path) -> None:
    """F8: forty alerts do not draw forty charts at once; a cancelled one lets the next begin."""
    drawer = Drawer(ManualClock(), {}, python(HANGS, pipe))
    first, second = (asyncio.ensure_future(drawer.draw(CHART)) for _ in range(2))
    one = await begun(pipe)
    one.told.close()  # or it would hear the second one, which begins as soon as the first is gone
    assert len(left(folder)) == 1
    first.cancel()
    await asyncio.wait([first])
    assert not is_there(one.process)
    other = await begun(pipe)
    assert (first.done(), second.done(), len(left(folder))) == (True, False, 1)
    second.cancel()
    await asyncio.wait([second])
    assert await other.gone()


async def test_promise_9_no_secret_is_handed_on(folder: Path) -> None:
    """Promise 9: the process gets only place and time settings of our environment."""
    told = folder.parent / "told"
    code = "import os, sys; open(sys.argv[1], 'w').write(repr(dict(os.environ)))"
    environ = {
        "COINW_API_KEY": "planted-key",
        "TZ": "Asia/Tokyo",
        "HOME": "/home/me",
        "PATH": "/bin",
    }
    await Drawer(SystemClock(), environ, python(code, told), 120 * SECOND).draw(CHART)
    given = told.read_text()
    assert "planted" not in given
    assert "/home/me" not in given
    assert "'TZ': 'Asia/Tokyo'" in given


def test_f8_it_is_modest() -> None:
    """F8: it runs at low priority, with bounded memory, processor time and lifetime."""
    code = (
        "import os, resource, signal\nfrom daemon.charts import render_process\n"
        "render_process.limit_resources()\n"
        "print(os.nice(0), resource.getrlimit(resource.RLIMIT_DATA)[0], signal.alarm(0) > 0)"
    )
    shown = subprocess.run(python(code), check=True, capture_output=True, text=True)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert shown.stdout.split() == [str(min(19, before + NICE)), str(MEMORY), "True"]


def test_f8_nothing_of_it_stays_where_its_parent_is_gone(tmp_path: Path) -> None:
    """F8: it removes the directory that it was given as soon as it can, and never another one."""
    given, another = tmp_path / f"{PREFIX}x", tmp_path / "mine"
    for path in (given, another):
        path.mkdir()
        (path / "fontlist.json").touch()
        code = "from daemon.charts.render_process import delete_temporary_files as tidy; tidy()"
        environ = {**os.environ, "MPLCONFIGDIR": str(path)}
        subprocess.run(python(code), check=True, env=environ)
    assert [path.exists() for path in (given, another)] == [False, True]


def test_f8_the_process_reads_a_chart_and_writes_a_picture(tmp_path: Path) -> None:
    """F8: by hand it works as well, on whatever terms."""
    environ = {**os.environ, "MPLCONFIGDIR": str(tmp_path), "MPL_IGNORE_SYSTEM_FONTS": "1"}
    done = subprocess.run(
        DRAWING, input=encode([CHART]), capture_output=True, check=True, env=environ
    )
    assert opened(done.stdout).size == (800, 450)
