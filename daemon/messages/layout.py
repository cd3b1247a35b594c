"""Layout of a message: paragraphs of plain lines, for every channel. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.messages.section import GAP, Section


@dataclass(frozen=True, slots=True)
class Shown:
    """Section as shown in the message."""

    section: Section
    whole: bool
    """True if its details are shown."""
    unsaid: str | None = None
    """Part of the headline that is not in the title; None if the title says nothing of it."""

    @property
    def heading(self) -> str:
        """First line, which may be empty."""
        return self.section.headline if self.unsaid is None else self.unsaid

    @property
    def plain(self) -> str:
        heading = [self.heading] if self.heading else []
        section = self.section
        if self.whole and section.details:
            return "\n".join([*heading, *section.details])
        return " · ".join([*heading, *section.marks])


def lay_out(
    sections: Sequence[Section], detailed: int, room: int, weigh: Callable[[str], int]
) -> list[Shown]:
    """Show the first sections with details, as long as all headlines still fit."""
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
    """Text below the title."""

    shown: Sequence[Shown]
    why: Sequence[str] = ()
    """Reasons of a delay, or of the choice of this channel: each is a paragraph."""

    def plain(self) -> str:
        return GAP.join([*(each.plain for each in self.shown), *self.why])
