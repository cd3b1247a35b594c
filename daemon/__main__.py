"""The program `marginwatch`, also run by `python -m daemon`.

Its first lines hold signals, so that none is lost.
"""

from typing import NoReturn

from daemon import signals


def main() -> NoReturn:
    """Run the command that the arguments name."""
    terminals = signals.terminals()
    signals.hold()
    from daemon import cli  # noqa: PLC0415 -- slow; signals must be held before

    cli.main(terminals)


if __name__ == "__main__":
    main()
