"""The text of a message: paragraphs of plain lines, for every channel there is. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.alerts.section import GAP, Section


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as it stands in the message."""

    section: Section
    whole: bool
    """With its details."""


def shown(sections: Sequence[Section], detailed: int, room: int, weigh: Callable[[str], int]) -> list[Shown]:
    """The first of them with their details, as long as all headlines still fit."""
    room -= sum(weigh(section.brief + GAP) for section in sections)
    found = []
    for number, section in enumerate(sections):
        more = weigh(section.whole) - weigh(section.brief)
        whole = number < detailed and more <= room
        room -= more if whole else 0
        found.append(Shown(section, whole))
    return found


@dataclass(frozen=True, slots=True)
class Text:
    """What stands below the title."""

    shown: Sequence[Shown]
    why: Sequence[str] = ()
    """Why it comes late, or to this channel: each a paragraph."""

    def plain(self, title: str) -> str:
        """What the title says whole is not said again."""
        if [title] == [each.section.headline for each in self.shown] and self.shown[0].whole:
            paragraphs = ["\n".join(self.shown[0].section.details)]
        else:
            paragraphs = [each.section.whole if each.whole else each.section.brief for each in self.shown]
        return GAP.join([*paragraphs, *self.why])
