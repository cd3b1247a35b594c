"""The manual page, made from the help of all commands: `python -m daemon.cli.manual`.

`docs/marginwatch.1` is its output; a test says when it is out of date. The wheel installs it.
"""

import re
from collections.abc import Iterator

import click

from daemon import __version__
from daemon.cli import commands
from daemon.cli.output.terminal import STDOUT

EXIT_STATUS = (
    ("0", "done; of status: all is well"),
    (
        "1",
        "failed; of check: a key or a channel does not work; of status: something fires or waits",
    ),
    ("2", "bad usage; of status: nobody watches, or nobody is told"),
    ("78", "rules.toml has mistakes, or the configured database can never be used"),
    ("130", "interrupted"),
)

FILES = (
    ("./rules.toml, /etc/marginwatch/rules.toml", "the configuration, where no other is named"),
    ("marginwatch.db", "the record, beside the configuration unless that says otherwise"),
)

ENVIRONMENT = (
    ("MARGINWATCH_CONFIG", "the path of the configuration"),
    ("MARGINWATCH_DEBUG", "1 shows the traceback of an unexpected failure, without secrets"),
    ("NO_COLOR", "leaves out colours"),
)


def page() -> str:
    """The page in the language of man(7)."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    context = click.Context(commands, info_name="marginwatch")
    yield '.\\" Made by python -m daemon.cli.manual; do not edit.'
    yield f'.TH MARGINWATCH 1 "" "marginwatch {__version__}" "User Commands"'
    yield ".SH NAME"
    yield "marginwatch \\- watches CoinW futures accounts, and wakes you before the margin is gone"
    yield ".SH SYNOPSIS"
    yield f".B {_escaped('marginwatch [OPTIONS] COMMAND [ARGUMENTS]')}"
    yield ".SH DESCRIPTION"
    yield from _help(commands)
    yield from _options(commands, context)
    yield ".SH COMMANDS"
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        assert command is not None  # it is listed  # noqa: S101
        yield from _command(command, click.Context(command, parent=context, info_name=name))
    yield from _table("EXIT STATUS", EXIT_STATUS)
    yield from _table("ENVIRONMENT", ENVIRONMENT)
    yield from _table("FILES", FILES)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """The section of one command; of a group followed by those of its commands."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f".SS {_escaped(usage)}"
    yield from _help(command)
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None  # it is listed  # noqa: S101
            yield from _command(found, click.Context(found, parent=context, info_name=name))


def _help(command: click.Command) -> Iterator[str]:
    """The paragraphs of the help; those marked for click keep their lines."""
    for paragraph in re.split(
        r"\n\s*\n", f"{command.help or ''}\n\n{command.epilog or ''}".strip()
    ):
        kept = paragraph.lstrip().startswith("\b")
        lines = [line for line in paragraph.replace("\b", "").split("\n") if line.strip()]
        yield ".PP"
        if kept:
            yield from (".nf", *map(_escaped, lines), ".fi")
        else:
            yield _escaped(" ".join(line.strip() for line in lines))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for option in command.get_params(context):
        record = option.get_help_record(context)
        if isinstance(option, click.Option) and record is not None and "--help" not in option.opts:
            yield from _item(*record)


def _table(title: str, items: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield f".SH {title}"
    for item in items:
        yield from _item(*item)


def _item(name: str, text: str) -> Iterator[str]:
    yield from (".TP", f".B {_escaped(name)}", _escaped(" ".join(text.split())))


def _escaped(text: str) -> str:
    """The text as it is, with hyphens that can be searched and copied."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha")
    safe = safe.replace("~", "\\(ti").replace("`", "\\(ga")
    safe = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in safe)
    return f"\\&{safe}" if safe.startswith(".") else safe


if __name__ == "__main__":
    STDOUT.write(page())
