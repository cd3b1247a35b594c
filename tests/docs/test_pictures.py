"""The pictures of the README: drawn by hand with docs/pictures, of words that the program says."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from daemon import __version__
from tests.docs.markdown import DELIVERY, ROOT

DOCS = ROOT / "docs"
GOLDEN = ROOT / "tests" / "messages" / "golden"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn() -> ET.Element:
    """The moving picture, read as XML."""
    return ET.parse(DOCS / "demo.svg").getroot()


def test_the_recording_is_of_this_version(drawn: ET.Element) -> None:
    """Both files of it; a new version gets a new recording."""
    head = json.loads((DOCS / "demo.cast").read_text("utf-8").splitlines()[0])
    assert (head["version"], head["title"]) == (2, f"marginwatch {__version__}: make demo")
    assert drawn.findtext(f"{SVG}title") == head["title"]


def test_the_picture_shows_every_line_of_the_recording(drawn: ET.Element) -> None:
    """In their order, none of them wider than the terminal, and small enough for a page."""
    head, *events = map(json.loads, (DOCS / "demo.cast").read_text("utf-8").splitlines())
    recorded = [text.rstrip("\r\n") for _, _, text in events]
    shown = ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]
    assert shown[1:] == [line for line in recorded if line]
    assert max(map(len, shown)) <= head["width"]
    assert (DOCS / "demo.svg").stat().st_size < 150_000


def test_the_titles_in_the_recording_begin_with_known_words(drawn: ET.Element) -> None:
    """Words that docs/delivery.md explains."""
    words = " ".join(DELIVERY.table("What a title says").column("word"))
    known = set(re.findall("`([A-Z]+)`", words))
    lines = ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]
    begun = {match[1] for line in lines if (match := re.match(r"  \| ([A-Z]{4,}) ", line))}
    assert {"WARNING", "CRITICAL", "OVER"} <= begun <= known


def test_the_phone_shows_golden_messages() -> None:
    """Each message in it is the beginning of one in tests/messages/golden."""
    with Image.open(DOCS / "phone.png") as picture:
        shown = picture.info["Description"].split("\n\n")
    golden = [path.read_text("utf-8").replace("\n\n", "\n", 1) for path in GOLDEN.iterdir()]
    assert len(shown) == 3
    assert [text for text in shown if not any(each.startswith(text) for each in golden)] == []
