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
        if self.unsaid is None:
            return self.section.headline
        rule = () if self.whole else (self.section.rule,)
        return " · ".join(filter(None, (self.unsaid, *rule)))

    @property
    def foot(self) -> Sequence[str]:
        """Last lines, with the rule's name unless the heading has it."""
        section = self.section
        if self.unsaid is None or not section.rule:
            return section.foot
        return (f"{section.rule} · {section.foot[0]}", *section.foot[1:])

    @property
    def plain(self) -> str:
        heading = [self.heading] if self.heading else []
        section = self.section
        if not self.whole:
            return " · ".join([*heading, *section.marks])
        return "\n".join([*heading, *section.middle, *self.foot])


def lay_out(
    sections: Sequence[Section], detailed: int, room: int, weigh: Callable[[str], int]
) -> list[Shown]:
    """Show the first sections with details, as long as all headlines still fit."""
    room -= sum(weigh(section.brief + GAP) for section in sections)
    found = []
    for number, section in enumerate(sections):
        more = weigh(section.whole) - weigh(section.brief)
        whole = number < detailed and more <= room and bool(section.details)
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

    @property
    def commands(self) -> tuple[str, ...]:
        """Commands that are shown."""
        shown = (action for each in self.shown if each.whole for action in each.section.actions)
        return tuple(action.command for action in shown if action.command)
