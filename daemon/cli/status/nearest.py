"""The nearest rule of each account, for `status`."""

from collections.abc import Iterable

from daemon.cli.output.tables import Row, exact
from daemon.cli.status.state import AccountOverview
from daemon.rules.evaluation.nearest import NearestRule

COLUMNS = ("account", "rule", "field", "value", "limit", "distance")

OPTIONAL = ("field", "limit")
"""Columns that a narrow terminal may lack, the first one first."""


def nearest_row(nearest: NearestRule | None) -> Row | None:
    """The rule for programs, with all digits; the distance is negative beyond the limit."""
    if nearest is None:
        return None
    return {
        "rule": nearest.rule,
        "fires": nearest.fires,
        "field": nearest.distance.field,
        "value": exact(nearest.distance.value),
        "limit": exact(nearest.distance.limit),
        "distance": exact(nearest.distance.left),
    }


def nearest_cells(accounts: Iterable[AccountOverview]) -> list[list[str]]:
    """The rows for people: accounts with a rule that fires come first, then the nearest one."""
    found = [(each.name, each.nearest) for each in accounts if each.nearest is not None]
    return [_cells(*each) for each in sorted(found, key=lambda each: each[1].urgency)]


def _cells(account: str, nearest: NearestRule) -> list[str]:
    distance = nearest.distance
    return [
        account,
        nearest.rule,
        distance.field,
        distance.now,
        distance.bound,
        "fires" if nearest.fires else distance.brief(distance.left),
    ]
