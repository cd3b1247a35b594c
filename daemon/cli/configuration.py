"""Reading the configuration together with the checks of exchange and channel adapters."""

from collections.abc import Mapping
from pathlib import Path

from daemon import config, exchanges, notifiers
from daemon.config import Account, Checks, Config
from daemon.service.reporting import cron
from daemon.types import SECOND, Millis


def configuration(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    secrets: bool = True,
    tolerant: bool = False,
) -> Config:
    """The configuration at `path`, or in the default places.

    Without `secrets`, keys and URLs stay empty and unchecked; only then it may be `tolerant` of
    mistakes that leave the record certain.

    Raises:
        ConfigError: with all mistakes, each with its place.

    """
    found = config.find(path, environ)
    if not secrets:
        return config.read(found, environ=environ, secrets=False, tolerant=tolerant)
    return config.read(found, environ=environ, checks=CHECKS)


def exchange_account(
    account: Account, user_id: str = "", timeout: Millis = 10 * SECOND
) -> exchanges.ExchangeAccount:
    """The account in the form its exchange takes; `user_id` is used if the file names none."""
    return exchanges.ExchangeAccount(
        name=account.name,
        api_key=account.api_key.reveal(),
        secret_key=account.secret_key.reveal(),
        rest_url=account.rest_url,
        ws_url=account.ws_url,
        timeout=timeout,
        user_id=account.user_id or user_id,
        rest_route=account.rest_route,
        ws_route=account.ws_route,
    )


def _account_problems(exchange: str, account: Account) -> list[tuple[str, str]]:
    try:
        adapter = exchanges.load(exchange)
    except LookupError as error:
        return [("exchange", str(error.args[0]))]
    return list(adapter.problems(exchange_account(account)))


def _addresses(exchange: str) -> Mapping[str, str]:
    """The official URLs of an exchange, so that no key goes elsewhere; empty if it is unknown."""
    try:
        adapter = exchanges.load(exchange)
    except LookupError:
        return {}
    return {"rest_url": adapter.REST_URL, "ws_url": adapter.WS_URL}


CHECKS = Checks(
    _account_problems,
    _addresses,
    notifiers.problem,
    notifiers.caution,
    notifiers.secrets,
    cron.problem,
)
