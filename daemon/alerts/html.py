"""The same text as HTML, for e-mail: a fragment without scripts, links, styles sheets or anything fetched. Pure."""

from html import escape

from daemon.alerts.section import Row, Section
from daemon.alerts.text import Shown, Text

_CELL = "padding:2px 12px 2px 0;vertical-align:top"


def rendered(title: str, text: Text) -> str:
    parts = [_shown(each) for each in text.shown]
    why = f"<p>{escape(text.why)}</p>" if text.why else ""
    return f"<h3>{escape(title)}</h3>{''.join(parts)}{why}"


def _shown(shown: Shown) -> str:
    if not shown.whole:
        return f"<p>{escape(shown.section.brief)}</p>"
    return _whole(shown.section)


def _whole(section: Section) -> str:
    lines = "".join(f"<div>{escape(line)}</div>" for line in section.lines)
    rows = "".join(map(_row, section.rows))
    foot = "".join(f"<div>{escape(line)}</div>" for line in section.foot)
    return f"<p><b>{escape(section.headline)}</b></p>{lines}<table>{rows}</table>{foot}"


def _row(row: Row) -> str:
    cells = (row.field, row.value, ", ".join(row.moves))
    return "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in cells) + "</tr>"
