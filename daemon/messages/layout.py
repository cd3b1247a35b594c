"""The text of a message: paragraphs of plain lines, for every channel there is. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.messages.section import GAP, Section


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as it stands in the message."""

    section: Section
    whole: bool
    """With its details."""
    unsaid: str | None = None
    """What the title leaves unsaid of the headline; None where it says nothing of it."""

    @property
    def heading(self) -> str:
        """The first line, which may be empty."""
        return self.section.headline if self.unsaid is None else self.unsaid

    @property
    def plain(self) -> str:
        heading = [self.heading] if self.heading else []
        section = self.section
        if self.whole and section.details:
            return "\n".join([*heading, *section.details])
        return " · ".join([*heading, *section.marks])


def shown(
    sections: Sequence[Section], detailed: int, room: int, weigh: Callable[[str], int]
) -> list[Shown]:
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

    def plain(self) -> str:
        return GAP.join([*(each.plain for each in self.shown), *self.why])
