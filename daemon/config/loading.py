"""Loads the text of a rules.toml into a `Config`, or reports all of its mistakes at once.

    text → tables → references → secrets filled in → accounts, channels, rules
    (syntax) (document)          (secret_references)
         → checks of adapters → keys not available yet
           (checks)

Knowledge of adapters comes in as `Checks`; the environment is an argument. The rules.toml itself is
read by `files`; this module reads only the files that hold secrets or authorities.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from daemon.alerts.system_rules import ACCOUNT, DAEMON
from daemon.config import build, overrides, partial, secret_references
from daemon.config.checks import consistency, not_available, references
from daemon.config.checks import warnings as advice
from daemon.config.model import (
    NO_SECRET,
    Account,
    Channel,
    Config,
    Daemon,
    Report,
)
from daemon.config.parse import database, document, proxy, syntax, values
from daemon.config.parse.document import Document
from daemon.config.parse.tables import Item
from daemon.config.places import Places
from daemon.config.problems import MistakeError, Problems, format_value
from daemon.config.secret_references import Resolved, Surroundings
from daemon.errors import ConfigError
from daemon.hidden import HiddenMapping, Secret, passwords
from daemon.rules.rule import Rule
from daemon.text import url_secrets
from daemon.types import DIRECT, Route


@dataclass(frozen=True, slots=True)
class Checks:
    """Functions that know the adapters. By default nothing is refused; every exchange is CoinW."""

    account: Callable[[str, Account], list[tuple[str, str]]] = lambda _exchange, _account: []
    """(exchange, account) -> (key, sentence) for each mistake, such as an unknown exchange."""
    addresses: Callable[[str], Mapping[str, str]] = lambda _exchange: {}
    """exchange -> default address by key of an account (`rest_url`, `ws_url`)."""
    channel: Callable[[str], str | None] = lambda _url: None
    """URL -> a sentence without the URL when it cannot be used, else None."""
    caution: Callable[[str], str | None] = lambda _url: None
    """URL -> a sentence without the URL when it can be used but is risky, else None."""
    secrets: Callable[[str], frozenset[str]] = url_secrets.secrets
    """URL of a channel -> every part of it that must never be seen."""
    cron: Callable[[str], str | None] = lambda _cron: None
    """Cron -> its mistake, as the rest of a sentence that begins with it, else None."""


@dataclass(slots=True)
class _Load:
    """State gathered during one load."""

    around: Surroundings
    checks: Checks
    problems: Problems
    hidden: set[Secret] = field(default_factory=set)
    literal: bool = False
    exposed: list[str] = field(default_factory=list)
    """Warnings of files with secrets that everybody can read."""
    secrets: bool = True
    """Whether keys and URLs are looked up at all."""


def load(
    text: str,
    *,
    path: Path,
    environ: Mapping[str, str],
    checks: Checks | None = None,
    secrets: bool = True,
    tolerant: bool = False,
) -> Config:
    """The configuration written in `text`, which is (or would be) the file `path`.

    Without `secrets`, keys and channel URLs stay empty. Commands that only read the record use
    this: the daemon's environment and credentials may not be there.

    If `tolerant`, mistakes do no harm as long as the file says for certain which record it is
    about: what has one is left out, and `mistakes` has them all.

    Raises:
        ConfigError: with all mistakes, each with its place.
    """
    around = Surroundings(HiddenMapping(environ), path.absolute().parent, protected=secrets)
    raw = syntax.parse(text, path)
    places = Places(text, raw)
    run = _Load(around, checks or Checks(), Problems(places.shown), secrets=secrets)
    written = document.read(raw, run.problems)
    references.check(written, run.problems)
    references.check_accounts(written, run.problems)
    config = _config(written, path.absolute(), run)
    consistency.check(written.rules, run.problems)
    consistency.check_pace(written, config, run.problems)
    not_available.check(written.items(), run.problems)
    if not written.accounts and not run.problems.within("accounts"):
        run.problems.add(
            "accounts", "there is none; add [[accounts]] with name, api_key and secret_key"
        )
    hidden = {each.reveal() for each in run.hidden} | _written_secrets(written)
    mistakes = run.problems.sentences(hidden)
    if mistakes and tolerant and partial.is_record_certain(raw, run.problems):
        return replace(
            partial.without_mistakes(config, written, run.problems), mistakes=tuple(mistakes)
        )
    if mistakes:
        raise ConfigError(mistakes)
    unsafe = database.caution(config.daemon.database.reveal(), environ)
    cautions = (*run.exposed, *(f"daemon.database: {each}" for each in unsafe))
    heartbeat = bool(written.daemon.table.heartbeat)
    advised = advice.warnings(config, run.checks.caution, heartbeat=heartbeat)
    warnings = (*cautions, *map(places.shown, advised))
    return replace(config, warnings=warnings, exposed=tuple(run.exposed))


def load_rules(text: str, *, path: Path) -> tuple[Rule, ...]:
    """Only the [[rules]] of a file, for every channel and never mute: what `demo` runs.

    Raises:
        ConfigError: with all mistakes in them.

    """
    raw = syntax.parse(text, path)
    problems = Problems(Places(text, raw).shown)
    written = document.read({"rules": raw.get("rules", [])}, problems)
    rules = tuple(
        replace(item, table=replace(item.table, channels=(), mute=(), escalate=()))
        for item in written.rules
    )
    references.check(replace(written, rules=rules), problems)
    consistency.check(rules, problems)
    not_available.check(written.items(), problems)
    problems.raise_if_any()
    return build.rules(rules)


def load_policy(text: str, *, path: Path, base: Config, environ: Mapping[str, str]) -> Config:
    """Rules to be tried out instead of those of `base`: a complete file, or some of its tables.

    Tables that the text leaves out are those of `base`. Channels need no URL, and no secret is
    read.

    Raises:
        ConfigError: with all mistakes, each with its place.
    """
    raw = syntax.parse(text, path)
    run = _Load(
        Surroundings(HiddenMapping(environ), path.absolute().parent),
        Checks(),
        Problems(Places(text, raw).shown),
        secrets=False,
    )
    written = document.read(raw | overrides.without_urls(raw), run.problems)
    known = overrides.completed(written, raw, base)
    if not overrides.says_anything(raw):
        tables = "[[rules]], [[mutes]], [system], [[channels]] or a timezone in [daemon]"
        run.problems.add("rules", f"there is none; a file to be tried out has {tables}")
    references.check(known, run.problems)
    config = overrides.merged(_config(written, path.absolute(), run), raw, base)
    consistency.check(written.rules, run.problems)
    consistency.check_pace(written, config, run.problems)
    not_available.check(written.items(), run.problems)
    run.problems.raise_if_any(_written_secrets(written))
    return config


def _config(written: Document, path: Path, run: _Load) -> Config:
    """Build everything that can be built; where there are mistakes, parts are missing."""
    daemon = _daemon(written.daemon, run)
    shared = _proxy(written.daemon, run)
    system = written.system.table
    return Config(
        path=path,
        daemon=daemon,
        accounts=tuple(_account(item, daemon, shared, run) for item in written.accounts),
        channels=tuple(_channel(item, run) for item in written.channels),
        rules=build.rules(written.rules),
        mutes=build.mutes(written.mutes, daemon.timezone),
        reports=tuple(_report(item, run) for item in written.reports),
        system=system,
        system_rules=build.system_rules(system, ACCOUNT),
        daemon_rules=build.system_rules(system, DAEMON),
        budget=written.budget.table,
        holds_secrets=run.literal,
        hidden=frozenset(run.hidden),
    )


def _daemon(item: Item[Daemon], run: _Load) -> Daemon:
    run.hidden.update(map(Secret, proxy.of_environment(run.around.environ)))
    if item.table.timezone is None and not values.system_zone_works():
        run.problems.add(
            f"{item.place}.timezone",
            'the system\'s (the variable TZ) is none; correct TZ, or write one such as "UTC"',
        )
    return replace(
        item.table,
        database=_filled_in(item, "database", database.resolve_address, run),
        heartbeat=_heartbeat(item, run),
        ca_file=_ca_file(item, run),
    )


def _ca_file(item: Item[Daemon], run: _Load) -> str:
    """The path of the trusted authorities, read once to see that they can be used."""
    written = item.table.ca_file
    if not written or not run.secrets:
        return ""
    try:
        return secret_references.authorities(written, run.around)
    except MistakeError as error:
        run.problems.add(f"{item.place}.ca_file", str(error))
        return ""


def _proxy(item: Item[Daemon] | Item[Account], run: _Load) -> str:
    """The key `proxy` with its references filled in: one of the words, or an address."""
    written = item.table.proxy.reveal()
    if not run.secrets:
        return proxy.OFF
    if written in proxy.WORDS:
        return written
    try:
        found = secret_references.url(written, run.around)
        run.hidden.update(map(Secret, proxy.secrets(found.text.reveal())))
        run.literal = run.literal or (found.literal and bool(proxy.secrets(written)))
        return proxy.address(found.text.reveal())
    except MistakeError as error:
        run.problems.add(f"{item.place}.proxy", str(error))
        return proxy.OFF


def _routes(
    item: Item[Account], where: Mapping[str, str], shared: str, run: _Load
) -> dict[str, Route]:
    """The route of each of the account's addresses, by key; `shared` is `proxy` of [daemon]."""
    own = bool(item.table.proxy)
    wanted, place = (_proxy(item, run), f"{item.place}.proxy") if own else (shared, "daemon.proxy")
    routes = dict.fromkeys(where, DIRECT)
    for key, url in where.items():
        try:
            routes[key] = proxy.route(wanted, url, run.around.environ, own=own)
        except MistakeError as error:
            if not run.problems.within(place):
                run.problems.add(place, str(error))
    return routes


def _heartbeat(item: Item[Daemon], run: _Load) -> Secret:
    """The heartbeat's address, written like a channel URL and checked after it is put together."""
    url = _secret(item, "heartbeat", secret_references.url, run)
    run.hidden.update(map(Secret, url_secrets.secrets(url.reveal())))
    try:
        return Secret(values.heartbeat(url.reveal())) if url else NO_SECRET
    except MistakeError as error:
        run.problems.add(f"{item.place}.heartbeat", str(error))
        return NO_SECRET


def _account(item: Item[Account], daemon: Daemon, shared: str, run: _Load) -> Account:
    table = item.table
    where = {"rest_url": table.rest_url, "ws_url": table.ws_url}
    where |= {
        key: url for key, url in run.checks.addresses(table.exchange).items() if key not in item.raw
    }
    routes = _routes(item, where, shared, run)
    account = replace(
        table,
        api_key=_secret(item, "api_key", secret_references.key, run),
        secret_key=_secret(item, "secret_key", secret_references.key, run),
        every=table.every or daemon.every,
        rest_url=where["rest_url"],
        ws_url=where["ws_url"],
        rest_route=routes["rest_url"],
        ws_route=routes["ws_url"],
    )
    for key, sentence in run.checks.account(account.exchange, account):
        if not run.problems.within(f"{item.place}.{key}"):
            run.problems.add(f"{item.place}.{key}", sentence)
    return account


def _channel(item: Item[Channel], run: _Load) -> Channel:
    url = _secret(item, "url", secret_references.url, run)
    run.hidden.update(map(Secret, run.checks.secrets(url.reveal())))
    sentence = run.checks.channel(url.reveal()) if url else None
    if sentence:
        run.problems.add(f"{item.place}.url", sentence)
    return replace(item.table, url=url, service=_service(item.table.url))


def _service(url: Secret) -> str:
    """The service that a channel's URL names as written; "" when the whole URL is a secret."""
    name, mark, _ = url.reveal().partition("://") if url else ("", "", "")
    return name.strip().lower() if mark else ""


def _report(item: Item[Report], run: _Load) -> Report:
    table = item.table
    sentence = run.checks.cron(table.cron) if table.cron else None
    if sentence:
        run.problems.add(f"{item.place}.cron", f"{format_value(table.cron)} {sentence}")
    return table


def _secret(
    item: Item[Any], key: str, resolved: Callable[[str, Surroundings], Resolved], run: _Load
) -> Secret:
    """The secret at a key; empty where there is a mistake, or no secrets are wanted."""
    return _filled_in(item, key, resolved, run) if run.secrets else NO_SECRET


def _filled_in(
    item: Item[Any], key: str, resolved: Callable[[str, Surroundings], Resolved], run: _Load
) -> Secret:
    """The value of a key with its references filled in; empty where there is a mistake."""
    secret = getattr(item.table, key)
    if not secret:
        return NO_SECRET
    written = secret.reveal()
    try:
        found = resolved(written, run.around)
    except MistakeError as error:
        run.problems.add(f"{item.place}.{key}", str(error))
        return NO_SECRET
    run.exposed += [
        f"{run.problems.shown(item.place)}.{key}: {sentence}"
        for sentence in secret_references.exposed(written, run.around)
    ]
    run.literal = run.literal or found.literal
    run.hidden |= {found.text, *found.parts}
    return found.text


def _written_secrets(written: Document) -> set[str]:
    """Secrets written in the file itself, also where a mistake kept them from being used."""
    items: tuple[Item[Any], ...] = (written.daemon, *written.accounts, *written.channels)
    raws = [
        item.raw.get(key) for item in items for key in ("heartbeat", "api_key", "secret_key", "url")
    ]
    addresses = [each for item in items for each in item.raw.values() if isinstance(each, str)]
    proxies = [raw for item in items if isinstance(raw := item.raw.get("proxy"), str)]
    whole = {
        raw for raw in raws if isinstance(raw, str) and not secret_references.is_reference(raw)
    }
    return whole.union(*map(passwords, addresses), *map(proxy.secrets, proxies))
