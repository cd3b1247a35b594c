"""HTML of a message for e-mail, to be read on a phone, by day and by night. Pure.

Nothing in it is fetched or runs: blocks and spans with inline styles, as mail programs surely
support no others. Each innermost block is one line and there are no tables, because the text part
of the mail is made from it, line by line. Plain text has no colour and no background, so that a
dark screen chooses both. Coloured text is readable on white and on black.
"""

import re
from collections.abc import Iterable
from html import escape

from daemon.messages.layout import Shown, Text
from daemon.messages.section import Action, FieldRow

_PAGE = (
    "max-width:600px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
    "font-size:16px;line-height:1.45;word-wrap:break-word"
)
_LINE = "border-top:1px solid #a0a0a0;padding:6px 0"
_VALUE = "float:right;text-align:right"
"""Style of a value: right of its name where the program supports that, else behind it."""
_ASIDE = "opacity:.7"
_CODE = "-webkit-user-select:all;user-select:all"
"""Style of a command: a tap or a click selects all of it."""
_BELOW = f"font-size:14px;{_ASIDE}"

_UNITS = r"(?:ms|s|min|h|d)\b"
_INSIDE = re.compile(rf"(?<=\bin) (?=\d+ {_UNITS})|(?<=\d) (?={_UNITS})")
"""Spaces within `in 10 min`, which must not be torn apart at the end of a line."""

_RED, _ORANGE, _BLUE, _GREEN = "#e5484d", "#d9730d", "#3b82f6", "#2f9e5b"
_COLOURS = {
    **dict.fromkeys(("CRITICAL", "FIRING"), _RED),
    **dict.fromkeys(("WARNING", "BLIND", "ALERTS", "GAPS", "FAILING"), _ORANGE),
    **dict.fromkeys(("INFO", "ACK", "RETIRED", "REPORT"), _BLUE),
}
"""Colours by the word of a section. All others are green: over, or well all the time."""


def render(text: Text) -> str:
    """HTML fragment of the text. The title is the subject of the mail."""
    parts = [_shown(each) for each in text.shown]
    why = [_block(escape(each), _ASIDE) for each in text.why]
    return _INSIDE.sub("\u00a0", _block("<br><br>".join([*parts, *why]), _PAGE))


def _shown(shown: Shown) -> str:
    section = shown.section
    if not shown.whole:
        return _edged(shown, map(escape, section.marks))
    edged = _edged(shown, map(escape, (*section.lines, *section.common)))
    rows = "".join(map(_row, section.rows))
    actions = "".join(map(_action, section.actions))
    foot = "".join(_block(escape(line), _BELOW) for line in shown.foot)
    return "<br>".join(part for part in (edged, rows, actions, foot) if part)


def _edged(shown: Shown, lines: Iterable[str]) -> str:
    """Heading with its lines, and its colour at the edge; empty if there is nothing to colour."""
    section = shown.section
    colour = _COLOURS.get(section.tone or section.word, _GREEN)
    text = escape(shown.heading)
    if shown.unsaid is None:
        text = f'<span style="color:{colour}">{escape(section.word)}</span> {escape(section.said)}'
    heading = _block(text, "font-size:18px;font-weight:bold") if text else ""
    inner = heading + "".join(map(_block, lines))
    return _block(inner, f"border-left:5px solid {colour};padding-left:12px") if inner else ""


def _row(row: FieldRow) -> str:
    moves = f' <span style="{_ASIDE}">({escape(row.moved)})</span>' if row.moves else ""
    shown = f'<span style="{_VALUE}"><b>{escape(row.value)}</b>{moves}</span>'
    return _block(f'{escape(row.field)} {shown}<div style="clear:both"></div>', _LINE)


def _action(action: Action) -> str:
    command = f': <code style="{_CODE}">{escape(action.command)}</code>' if action.command else ""
    return _block(f"{escape(action.text)}{command}")


def _block(inner: str, style: str = "") -> str:
    return f'<div style="{style}">{inner}</div>' if style else f"<div>{inner}</div>"
