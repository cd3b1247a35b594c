"""`python -m tests.prometheus`: compare random cases with promtool; `--write` keeps them."""

import sys
import tempfile
from pathlib import Path

import click

from tests import parts
from tests.prometheus import case, promtool
from tests.prometheus.making import cases
from tests.prometheus.ours import evaluate


@click.command()
@click.option("--seed", default=1, show_default=True, help="What the cases are made from.")
@click.option("--count", default=2_000, show_default=True, help="How many.")
@click.option(
    "--write",
    is_flag=True,
    help=f"Keep them in {case.FIXTURES.name}, if promtool agrees with every one.",
)
def main(seed: int, count: int, *, write: bool) -> None:
    program = parts.find("promtool")
    if program is None:
        raise click.ClickException(
            "promtool is not installed; Debian has it in the package prometheus"
        )
    known = [evaluate(each) for each in cases(seed, count)]
    with tempfile.TemporaryDirectory() as directory:
        found = promtool.differences(program, known, Path(directory))
    for difference in found:
        click.echo(difference)
    click.echo(f"{count} cases from seed {seed}: {len(found)} differences")
    if found:
        sys.exit(1)
    if write:
        case.write(known)


if __name__ == "__main__":
    main()
