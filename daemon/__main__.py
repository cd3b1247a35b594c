"""The program `marginwatch`, which `python -m daemon` is, too. Its first lines see to it that no
signal is lost.
"""

from typing import NoReturn

from daemon import signals


def main() -> NoReturn:
    """Run the command that the arguments name."""
    terminals = signals.terminals()
    signals.hold()
    from daemon import cli  # noqa: PLC0415 -- it takes a while, in which signals must wait already

    cli.main(terminals)


if __name__ == "__main__":
    main()
