"""The options that several commands share."""

import os
import unicodedata
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from daemon.cli.session import CommandSession

C = TypeVar("C", bound=Callable[..., Any])


class Format(StrEnum):
    """The format in which data is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class ExpandedPath(click.Path):
    """A path with `~` for the home folder, even where the shell keeps it (`--rules=~/x.toml`)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        # Path.expanduser refuses users that are unknown.
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111


class NameType(click.ParamType[str]):
    """A name or a pattern, normalised to NFC as in the configuration."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        del param, ctx
        return unicodedata.normalize("NFC", str(value))


NAME = NameType()

TIME = "03:12, yesterday 20:20, mon 07:00, 2026-11-22T03:12, or 24h for a day ago."
"""Help about the instants that `output.instants` reads."""


def _remember(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None:
        context.ensure_object(CommandSession).path = path


def config(command: C) -> C:
    """`--config PATH`, kept in the session, whether given before or after the command's name."""
    return click.option(
        "--config",
        metavar="PATH",
        type=ExpandedPath(path_type=Path, readable=False),  # reading the file reports why it fails
        callback=_remember,
        expose_value=False,
        help=(
            "The configuration. Default: $MARGINWATCH_CONFIG, ./rules.toml,"
            " /etc/marginwatch/rules.toml."
        ),
    )(command)


def output(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format` and `--json` of a listing, passed as `output`."""
    return _output(command, tuple(Format), "table is for people, csv and json for programs.")


def summary(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format` and `--json` of a command whose answer is no list, passed as `output`."""
    formats = (Format.TABLE, Format.JSON)
    return _output(command, formats, "table, or plain lines, is for people; json for programs.")


def _output(
    command: Callable[..., Any], formats: Sequence[Format], help_: str
) -> Callable[..., Any]:
    @wraps(command)
    def called(*arguments: Any, as_json: bool, output: str, **options: Any) -> Any:
        chosen = Format.JSON if as_json else Format(output)
        return command(*arguments, output=chosen, **options)

    as_format = click.option(
        "--format",
        "output",
        type=click.Choice([each.value for each in formats]),
        default=Format.TABLE.value,
        show_default=True,
        help=help_,
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
    return as_format(as_json(called))


def account(command: C) -> C:
    """`--account GLOB`."""
    help_ = 'Only accounts whose name matches, such as "grid-*".'
    return click.option("--account", metavar="GLOB", type=NAME, default="*", help=help_)(command)


def one_account(command: C) -> C:
    """`--account GLOB` that matches one account."""
    help_ = 'The account, such as "grid-*" for the only one of that name; not needed for one alone.'
    return click.option("--account", metavar="GLOB", type=NAME, default=None, help=help_)(command)


def since(default: str) -> Callable[[C], C]:
    """`--since TIME`; `default` is what the help says happens without it."""
    return click.option(
        "--since",
        metavar="TIME",
        help=f"Start of the span: {TIME} Default: {default}.",
    )


def until(command: C) -> C:
    """`--until TIME`."""
    return click.option("--until", metavar="TIME", help="End of the span. Default: now.")(command)
