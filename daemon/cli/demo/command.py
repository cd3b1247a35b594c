"""`marginwatch demo`: the whole daemon at work, on this machine alone."""

import click

from daemon import startup_signals
from daemon.types import Millis


class _Duration(click.ParamType[Millis]):
    name = "duration"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Millis:
        from daemon.text.durations import parse_duration  # noqa: PLC0415 -- on use

        length = parse_duration(value)
        if not length:
            self.fail(f"{value} is no duration; write for instance 30s or 2m", param, ctx)
        return length


@click.command()
@click.option(
    "--for",
    "length",
    type=_Duration(),
    metavar="DURATION",
    help="End by itself after this long, such as 30s.",
)
def demo(length: Millis | None) -> None:
    """Watch the daemon at work: readings, alerts, messages, ends. Nothing leaves this machine.

    \b
    Example:
      marginwatch demo --for 30s
    """  # noqa: D301 -- click's mark for lines to be kept
    with startup_signals.Early():
        from daemon.cli.demo.show import show  # noqa: PLC0415

        show(length)
