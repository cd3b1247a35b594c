"""Titles: the news in one line, by which a person decides whether to get up. Pure.

WORD account: field value (limit)
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daemon.messages import grouping
from daemon.messages.section import MessageItem, RenderContext
from daemon.messages.title_texts import NewsText, news_texts, over_texts
from daemon.messages.title_words import (
    LATE,
    account_name,
    is_cleared,
    news_word,
)
from daemon.text.printable import printable
from daemon.types import SEVERITIES

TITLE = 60
"""Longest title. Some services, such as Zulip, cut longer ones; phones show hardly more."""

_SHORTEST = 24
"""Room that a text gets at least, however long the account's name is."""


@dataclass(frozen=True, slots=True)
class Title:
    """Title of a message, with what it tells of the first section."""

    text: str
    told: NewsText | None = None
    """None if it does not name the account of the first section, or not in full."""


def message_title(fitting: Sequence[grouping.Kept], context: RenderContext) -> Title:
    """Title of the first alert, or of all if all are over, with the number of the others."""
    told = [item for _, alike in fitting for item in alike]
    word = _word(told, context)
    if len(fitting) > 1 and all(item.account_of_both and is_cleared(item.last) for item in told):
        first = context.moment(grouping.first_firing(told))
        over = f"{len(told)} alerts, all over"
        return Title(_fit(f"{word} {_accounts(told)}", [f"{over}, first at {first}", over], TITLE))
    alike = fitting[0][1]
    others = f" and {len(told) - len(alike)} more" if len(told) > len(alike) else ""
    head = f"{word} {account_name(alike[0].notice.key)}"
    texts, room = _texts(alike, word, context), TITLE - len(others)
    title = _fit(head, list(map(str, texts)), room)
    if not title.startswith(f"{head}: "):
        return Title(title + others)
    whole = (text for text in texts if title == f"{head}: {printable(str(text))}")
    return Title(title + others, next(whole, NewsText("")))


def digest_title(told: Sequence[MessageItem], context: RenderContext) -> Title:
    """Title of a digest, for news that waited for a day or longer."""
    firing = Counter(item.notice.facts.severity for item in told if not item.over)
    fires = ", ".join(f"{firing[each]} {each}" for each in SEVERITIES if firing[each])
    over = len(told) - firing.total()
    counts = [f"{fires} still firing"] if fires else []
    text = ", ".join([*counts, f"{over} over"] if over else counts)
    first = context.moment(min(item.notice.at for item in told))
    return Title(_fit(f"{LATE} {_accounts(told)}", [f"{text}, first at {first}", text], TITLE))


def _word(told: Sequence[MessageItem], context: RenderContext) -> str:
    """First word: that of the first item, or LATE if all began and ended unheard of."""
    late = all(
        item.account_of_both and context.is_late(item) and is_cleared(item.last) for item in told
    )
    return LATE if late else news_word(told[0].last)


def _accounts(told: Iterable[MessageItem]) -> str:
    names = list(dict.fromkeys(account_name(item.notice.key) for item in told))
    return names[0] if len(names) == 1 else f"{len(names)} accounts"


def _texts(alike: Sequence[MessageItem], word: str, context: RenderContext) -> Sequence[NewsText]:
    first = alike[0]
    if len(alike) > 1:
        return NewsText(grouping.how_often(alike)), NewsText(f"fired {len(alike)} times")
    if word == LATE:
        return over_texts(first.last)
    return news_texts(first.last, context.moment, value_at=context.value_at(first))


def _fit(head: str, texts: Sequence[str], room: int) -> str:
    """Title with the longest text that fits; else the account and the shortest text are cut."""
    told = [printable(text) for text in texts]
    fitting = next((text for text in told if len(head) + len(text) + 2 <= room), None)
    if fitting is not None:
        return f"{head}: {fitting}"
    text = _cut(told[-1], max(_SHORTEST, room - len(head) - 2))
    return f"{_cut(head, room - len(text) - 2)}: {text}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
