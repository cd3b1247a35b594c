"""How often each account is really read: all wishes, stretched evenly to the budget (SEMANTICS B3). Pure."""

from collections.abc import Mapping, Sequence

from daemon.config import Account, Budget
from daemon.exchanges.budget import Wish, stretch
from daemon.types import Millis

IN_FLIGHT: Millis = 200
"""How long a call to another continent is usually under way: its place in the budget stays taken that much longer."""


def intervals(accounts: Sequence[Account], limits: Budget, user_ids: Mapping[str, str]) -> dict[str, Millis]:
    """By account, its interval now. `user_ids` are those known, by account; all others share one user's allowance."""
    wishes = {each.name: Wish(each.every, each.user_id or user_ids.get(each.name, "")) for each in accounts}
    return stretch(wishes, limits.host, (limits.user, limits.assets), IN_FLIGHT)


def settled(accounts: Sequence[Account], limits: Budget, user_ids: Mapping[str, str]) -> dict[str, Millis]:
    """By account, its interval once every account has answered.

    An account of an unknown user is taken for one of its own, which it is from its first answer on, unless it shares
    its key.
    """
    owners = {each.name: user_ids.get(each.name) or _owner(each) for each in accounts}
    return intervals(accounts, limits, owners)


def _owner(account: Account) -> str:
    """In the place of a user id; a word that no user id is."""
    return f"the owner of {account.api_key.reveal() or account.name}"
