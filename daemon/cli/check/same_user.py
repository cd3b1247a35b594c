"""Warnings about accounts that are the same user at the exchange (SEMANTICS B4)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from daemon.config import Config


def known_users(config: Config, recorded: Mapping[str, str]) -> dict[str, str]:
    """The user id of each configured account, from the file or the record, where it is known."""
    users = config.users(recorded)
    return {each.name: users[each.name] for each in config.accounts if users.get(each.name)}


def same_user_warnings(users: Mapping[str, str], hosts: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each user with several accounts.

    `users` and `hosts` are by account: user ids are unique within one exchange only.
    """
    names = defaultdict[tuple[str, str], list[str]](list)
    for name, user in users.items():
        names[hosts[name], user].append(name)
    for (_, user), several in names.items():
        if len(several) > 1:
            both = f"{' and '.join(several)} are the same user {user}"
            yield (
                f"{both}: they are read, and alert, twice, and share one allowance; keep one of"
                " them"
            )
