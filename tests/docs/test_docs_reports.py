"""docs/reports.md: its examples are what reports say."""

from datetime import UTC

from daemon.messages.report import compose
from daemon.messages.section import RenderContext
from tests.config.written import WHOLE, loaded
from tests.docs.markdown import REPORTS
from tests.messages.facts import BAD, QUIET, SPAN

SENDING = RenderContext(SPAN.until, UTC)


def test_the_report_of_a_quiet_day_is_what_is_sent() -> None:
    """Word by word."""
    assert REPORTS.blocks("text")[0] == compose(QUIET, SENDING).body + "\n"
    assert f"`{compose(QUIET, SENDING).title}`" in REPORTS.text


def test_what_is_shown_of_a_worse_day_is_what_is_sent() -> None:
    """Its worst account, as far as it is shown."""
    assert REPORTS.blocks("text")[1] in compose(BAD, SENDING).body + "\n"


def test_the_configuration_shown_is_one() -> None:
    """Its reports are read, with the channels that are named."""
    (shown,) = REPORTS.blocks("toml")
    reports = loaded(WHOLE + shown).reports
    assert [(report.name, report.channels) for report in reports] == [
        ("daily", ("mail",)),
        ("weekly", ()),
    ]
