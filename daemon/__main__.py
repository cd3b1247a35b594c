"""The program `marginwatch`, also run by `python -m daemon`.

Its first lines hold signals, so that none is lost.
"""

from typing import NoReturn

from daemon import startup_signals


def main() -> NoReturn:
    """Run the command that the arguments name."""
    terminals = startup_signals.terminals()
    startup_signals.hold()
    from daemon import cli  # noqa: PLC0415 -- slow; signals must be held before

    cli.main(terminals)


if __name__ == "__main__":
    main()
