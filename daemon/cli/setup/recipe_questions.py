"""The last questions of `marginwatch init`: which ready rules to add to the new file."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby

import click

from daemon.cli.output.terminal import STDOUT, echo, say
from daemon.cli.rules_add import add
from daemon.cli.rules_add.add import AddOptions
from daemon.cli.session import CommandSession
from daemon.cli.setup.questions import prompt
from daemon.config.problems import MistakeError, did_you_mean
from daemon.config.recipes import Recipe, catalog, parse_limit
from daemon.errors import MarginwatchError

_ABOUT = "\nReady rules for further needs; `marginwatch rules recipes` says what each tells.\n"


def offer_recipes(session: CommandSession) -> None:
    """Ask which recipes to add to the file that was just written, and add them with their tests.

    The file is complete without them, so answers that end here mean none.
    """
    taken = {rule.name for rule in session.config(secrets=False).rules}
    offered = {
        name: recipe
        for name, recipe in catalog().items()
        if name not in taken and not recipe.escalates
    }
    STDOUT.write(_ABOUT)
    for group, recipes in groupby(offered.values(), lambda recipe: recipe.group):
        say(f"  {group}: {', '.join(recipe.name for recipe in recipes)}")
    try:
        names = prompt("Names to add; empty is none", partial(_names, offered), "")
        chosen = [(name, _limit(offered[name])) for name in names]
    except click.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            return
        raise
    for name, limit in chosen:
        _add(session, name, limit)


def _names(offered: dict[str, Recipe], answer: object) -> Sequence[str]:
    """The recipes that an answer names, separated by blanks or commas, each once."""
    names = dict.fromkeys(str(answer).replace(",", " ").split())
    for name in names:
        if name not in offered:
            raise MistakeError(f'there is no recipe "{name}"{did_you_mean(name, offered)}')
    return tuple(names)


def _limit(recipe: Recipe) -> str | None:
    if not recipe.limit:
        return None

    def valid(answer: object) -> str:
        try:
            parse_limit(recipe, str(answer))
        except MistakeError as mistake:
            raise MistakeError(f"the limit {mistake}") from None
        return str(answer)

    return prompt(f"{recipe.name} at", valid, recipe.limit)


def _add(session: CommandSession, name: str, limit: str | None) -> None:
    try:
        add.write(session, AddOptions(name, None, limit, (), ()))
    except MarginwatchError as error:  # such as a file of tests that was kept, with mistakes
        echo(f"  {name} is not added: {error}")
    else:
        echo(f"  {name} is added, with its test.")
