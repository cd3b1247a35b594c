"""`marginwatch completion`: the script by which a shell completes commands and options."""

import click

from daemon.cli.output.terminal import STDOUT

SHELLS = ("bash", "zsh", "fish")

VARIABLE = "_MARGINWATCH_COMPLETE"
"""The environment variable by which the script asks the program for completions."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in a shell.

    \b
    Examples:
      marginwatch completion bash > ~/.local/share/bash-completion/completions/marginwatch
      marginwatch completion zsh > "${fpath[1]}/_marginwatch"
      marginwatch completion fish > ~/.config/fish/completions/marginwatch.fish
    """  # noqa: D301 -- click's mark for lines to be kept
    from click.shell_completion import get_completion_class  # noqa: PLC0415 -- on use

    kind = get_completion_class(shell)
    assert kind is not None  # click knows all of SHELLS  # noqa: S101
    STDOUT.write(kind(context.find_root().command, {}, "marginwatch", VARIABLE).source() + "\n")
