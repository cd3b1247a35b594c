"""Draws docs/phone.png: a locked phone with messages as tests/messages/golden has them.

    .venv/bin/python docs/pictures/phone.py

Needs chromium. Run it by hand after a change of the words of a message; a test compares the words,
which the picture carries as its description. Look at the picture.
"""

import html
import os
import subprocess
import tempfile
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "messages" / "golden"
PICTURE = ROOT / "docs" / "phone.png"

MESSAGES = (("over", "now"), ("worse", "3 min ago"), ("firing-critical", "4 min ago"))
"""Golden messages, the newest first, and when they came."""
LINES = 4
"""Lines of the text that a locked phone shows."""
WIDTH, HEIGHT, SCALE = 400, 720, 2
COLORS = 64

STYLE = """
* { box-sizing: border-box; margin: 0 }
body { width: 400px; height: 720px; background: #fff; font: 14px/1.4 "DejaVu Sans", sans-serif }
.phone { width: 388px; height: 708px; margin: 6px; border: 9px solid #1b1d21; border-radius: 46px;
         background: #243349; color: #fff; padding: 46px 14px 0; overflow: hidden }
.clock { font-size: 66px; line-height: 1; text-align: center; font-weight: 300 }
.day { text-align: center; margin: 8px 0 30px; color: #cfd8e6; font-size: 15px }
.message { background: #f3f5f8; color: #17191c; border-radius: 17px; padding: 11px 14px;
           margin-bottom: 10px }
.from { display: flex; align-items: center; color: #5a616b; font-size: 12px; margin-bottom: 4px }
.from i { width: 15px; height: 15px; border-radius: 4px; background: #2a8ac8; margin-right: 7px }
.from span { margin-left: auto }
.title { font-weight: bold; line-height: 1.3 }
.text { font-size: 12.5px; color: #31363d; margin-top: 3px }
.text div { white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
"""


def main() -> None:
    shown = [(message(name), ago) for name, ago in MESSAGES]
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "phone.html", Path(folder) / "phone.png"
        page.write_text(screen(shown), encoding="utf-8")
        photograph(page, shot)
        keep(shot, "\n\n".join(text for text, _ in shown))
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size >> 10} KiB")


def message(name: str) -> str:
    """The title and the first lines of a golden message."""
    title, _, body = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    return "\n".join([title, *body.splitlines()[:LINES]])


def screen(shown: list[tuple[str, str]]) -> str:
    """The page of a locked phone."""
    return (
        f'<!DOCTYPE html><meta charset="utf-8"><style>{STYLE}</style><div class="phone">'
        '<div class="clock">03:16</div><div class="day">Thursday, 1 January</div>'
        + "".join(notification(text, ago) for text, ago in shown)
        + "</div>"
    )


def notification(text: str, ago: str) -> str:
    title, *lines = map(html.escape, text.splitlines())
    body = "".join(f"<div>{line}</div>" for line in lines)
    return (
        f'<div class="message"><div class="from"><i></i>Telegram<span>{ago}</span></div>'
        f'<div class="title">{title}</div><div class="text">{body}</div></div>'
    )


def photograph(page: Path, shot: Path) -> None:
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    subprocess.run(
        [
            "chromium",
            "--headless",
            *root,
            "--hide-scrollbars",
            f"--force-device-scale-factor={SCALE}",
            f"--window-size={WIDTH},{HEIGHT}",
            f"--screenshot={shot}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
    )


def keep(shot: Path, words: str) -> None:
    """Write the picture with few colours, and with its words as description."""
    described = PngInfo()
    described.add_itxt("Description", words)
    few = Image.open(shot).convert("RGB").quantize(COLORS)
    few.save(PICTURE, optimize=True, pnginfo=described)


if __name__ == "__main__":
    main()
