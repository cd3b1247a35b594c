"""`marginwatch init`: asks the questions of `questions`, then writes rules.toml and its tests."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli import options
from daemon.cli.output.terminal import say
from daemon.cli.session import CommandSession

if TYPE_CHECKING:
    from daemon.cli.setup.questions import Interview


@click.command()
@options.config
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_obj
def init(session: CommandSession, *, force: bool) -> None:
    """Ask a few questions and write rules.toml, readable by you alone.

    Keys and tokens are best left where they are: answer with env:NAME, file:PATH or
    credential:NAME. What you type in hidden goes into a file of its own. The keys are tried with
    one call, and limits are proposed from the balance. rules.test.toml is written beside it. At
    the end you can choose ready rules, as `marginwatch rules add` adds them.

    \b
    Examples:
      marginwatch init
      marginwatch init --config /etc/marginwatch/rules.toml
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.setup.balance import read_balance  # noqa: PLC0415 -- on use
    from daemon.cli.setup.questions import ask  # noqa: PLC0415
    from daemon.cli.setup.recipe_questions import offer_recipes  # noqa: PLC0415
    from daemon.cli.setup.secret_file import config_path  # noqa: PLC0415
    from daemon.cli.setup.write_file import refuse_to_overwrite  # noqa: PLC0415

    path = config_path(session)
    if not force:
        refuse_to_overwrite(path)
    told = ask(
        session.environ,
        path,
        lambda keys: read_balance(keys, session.clock, session.rest_url),
    )
    tests = write_all(path, told, force=force)
    offer_recipes(session)
    named = "" if path == Path("rules.toml") else f" --config {path}"
    say("")
    say(f"{path} is written. Next:")
    say(f"  marginwatch check --online --notify{named}")
    if tests:
        say(f"  marginwatch rules test{named}")
    say(f"  marginwatch run{named}")


def write_all(path: Path, told: "Interview", *, force: bool) -> bool:
    """Write the secrets, then the configuration, then its tests; whether the tests are new.

    Tests that are there already are kept, unless everything is to be replaced.
    """
    from daemon.cli.setup.secret_file import write_secret  # noqa: PLC0415 -- on use
    from daemon.cli.setup.write_file import write  # noqa: PLC0415
    from daemon.config import new_cases, new_config  # noqa: PLC0415

    for name, text in told.secrets.items():
        write_secret(path.with_name(name), text.reveal(), force=force)
        say(f"{path.with_name(name)} is written, for you alone.")
    write(path, new_config(told.answers), force=force)
    tests = path.with_name(f"{path.stem}.test.toml")
    if tests.exists() and not force:
        say(f"{tests} exists already and is kept.")
        return False
    write(tests, new_cases(told.answers), force=force)
    return True
