"""Accounts that are one and the same user at the exchange (SEMANTICS B4): what `check` warns of."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from daemon.config import Config


def known(config: Config, recorded: Mapping[str, str]) -> dict[str, str]:
    """Whose each configured account is, by `user_id` or by what was learned; without those of whom
    nobody knows.
    """
    users = config.users(recorded)
    return {each.name: users[each.name] for each in config.accounts if users.get(each.name)}


def twins(users: Mapping[str, str], hosts: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each user that several accounts are; both by account, as each exchange has
    users of its own.
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
