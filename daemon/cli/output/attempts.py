"""How an attempt to deliver went, for people. Pure."""

from daemon.types import Outcome

_WORDS = {
    Outcome.DELIVERED: "delivered",
    Outcome.REFUSED: "refused for good",
    Outcome.LATER: "not delivered",
    Outcome.UNKNOWN: "unknown",
    Outcome.NEVER_MADE: "never made",
}


def said(outcome: Outcome, detail: str) -> str:
    """Its outcome, and what the channel answered."""
    word = _WORDS[outcome]
    return f"{word}: {detail}" if detail else word
