"""Records `marginwatch demo`, and draws the recording as a moving picture.

    .venv/bin/python docs/pictures/recording.py            writes docs/demo.cast and docs/demo.svg
    .venv/bin/python docs/pictures/recording.py --draw     draws the recording that is there anew

docs/demo.cast is what the program printed, with the time of each line, in asciinema's format
(version 2); `asciinema play docs/demo.cast` shows it. The picture moves by CSS alone, as GitHub
allows no script. Run it by hand after a change of what the demo prints; look at the picture.
"""

import argparse
import html
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon import __version__

ROOT = Path(__file__).parents[2]
TITLE = f"marginwatch {__version__}: make demo"
CAST, PICTURE = ROOT / "docs" / "demo.cast", ROOT / "docs" / "demo.svg"
LASTS = "17s"
"""Long enough for one story of the built-in exchange: three alerts, and their ends."""
COLUMNS, ROWS = 108, 30
PAUSE = 6
"""Seconds for which the end stands before the picture begins anew."""

CHARACTER, LINE = 7.23, 17
"""Width and height of a character of 12 px."""
LEFT, TOP, BOTTOM = 16, 44, 14
WIDTH = round(COLUMNS * CHARACTER) + 2 * LEFT
HEIGHT = ROWS * LINE + TOP + BOTTOM
CLOCK = re.compile(r"\d\d:\d\d:\d\d ")

STYLE = """
text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d5dae1;
  white-space: pre }
.c { fill: #77808c } .f { fill: #ff8f85; font-weight: bold }
.r { fill: #82d296; font-weight: bold } .t { fill: #fff; font-weight: bold }
.m { fill: #aeb8c4 } .n { fill: #8d97a4 }
.s, .h { animation: s LENGTHs step-end infinite } .h { animation-name: h }
@media (prefers-reduced-motion: reduce) { .s, .h { animation: none } }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the recording. `at` is in seconds since its beginning."""

    at: float
    text: str


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--draw", action="store_true", help="record nothing")
    if not options.parse_args().draw:
        CAST.write_text(cast(record()), encoding="utf-8")
    PICTURE.write_text(picture(read()), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size >> 10} KiB")


def record() -> list[Line]:
    """What the demo prints, each line as it comes."""
    command = [sys.executable, "-m", "daemon", "demo", "--for", LASTS]
    begin = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        return [Line(time.monotonic() - begin, line.rstrip("\n")) for line in demo.stdout]


def cast(lines: Sequence[Line]) -> str:
    """The recording in asciinema's format."""
    head = {
        "version": 2,
        "width": COLUMNS,
        "height": ROWS,
        "title": TITLE,
    }
    events = [[round(line.at, 3), "o", f"{line.text}\r\n"] for line in lines]
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in (head, *events)) + "\n"


def read() -> list[Line]:
    _, *events = map(json.loads, CAST.read_text(encoding="utf-8").splitlines())
    return [Line(at, text.rstrip("\r\n")) for at, _, text in events]


def picture(lines: Sequence[Line]) -> str:
    """All lines, one below the other. They move up, and a cover hides those not yet printed.

    Without motion it shows the end.
    """
    shown = [Line(0, f'$ make demo ARGS="--for {LASTS}"'), *lines]
    last = len(shown)
    length = shown[-1].at + PAUSE
    style = STYLE.replace("LENGTH", f"{length:.2f}")
    style += f".s {{ transform: translateY({-LINE * scrolled(last)}px) }} "
    style += f".h {{ transform: translateY({LINE * last}px) }}\n"
    style += frames("s", [(at, -LINE * scrolled(count)) for at, count in counts(shown)], length)
    style += frames("h", [(at, LINE * count) for at, count in counts(shown)], length)
    texts = "\n".join(
        f'<text y="{LINE * number + 12}">{colored(line.text)}</text>'
        for number, line in enumerate(shown)
        if line.text
    )
    cover = f'<rect class="h" x="-4" width="{WIDTH}" height="{LINE * last}" fill="#14171c"/>'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"
 viewBox="0 0 {WIDTH} {HEIGHT}">
<title>{TITLE}</title>
<style>{style}</style>
<rect width="{WIDTH}" height="{HEIGHT}" rx="9" fill="#14171c"/>
<circle cx="20" cy="19" r="6" fill="#f2645a"/><circle cx="40" cy="19" r="6" fill="#f0bd4f"/>
<circle cx="60" cy="19" r="6" fill="#5fc454"/>
<svg x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT}" height="{ROWS * LINE}"><g class="s">
{texts}
{cover}
</g></svg>
</svg>
"""


def scrolled(count: int) -> int:
    """How many lines have left at the top, when so many are printed."""
    return max(0, count - ROWS)


def counts(lines: Sequence[Line]) -> list[tuple[float, int]]:
    """How many lines are printed, from when on. Lines of one instant come together."""
    return list({round(line.at, 2): number for number, line in enumerate(lines, 1)}.items())


def frames(name: str, steps: Sequence[tuple[float, int]], length: float) -> str:
    """Keyframes that move a thing down to a place at each time; places that stay are left out."""
    changes = [
        f"{100 * at / length:.2f}% {{ transform: translateY({place}px) }}"
        for (at, place), before in zip(steps, [None, *steps], strict=False)
        if before is None or before[1] != place
    ]
    return f"@keyframes {name} {{ {' '.join(changes)} }}\n"


def colored(text: str) -> str:
    """One line with its colours."""
    return "".join(
        f'<tspan class="{kind}">{html.escape(part, quote=False)}</tspan>'
        if kind
        else html.escape(part, quote=False)
        for kind, part in parts(text)
    )


def parts(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a line, each with its class."""
    if text.startswith("  | "):
        yield ("t" if re.match(r"  \| [A-Z]{4,} ", text) else "m"), text
        return
    clock = CLOCK.match(text)
    if clock is None:
        yield ("t" if text.startswith("$ ") else ""), text
        return
    rest = text[clock.end() :]
    kinds = {"firing": "f", "resolved": "r", "reading": "n"}
    yield "c", clock[0]
    yield kinds.get(rest.partition(" ")[0], ""), rest


if __name__ == "__main__":
    main()
