"""Strict 3: promise 9 for everything printable in the program, found by type, not by a list."""

import dataclasses
import functools
import gc
import importlib
import inspect
import pkgutil
import re
import traceback
import types
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import daemon
from daemon import config as configs
from daemon.app import App
from daemon.cli.configuration import CHECKS
from daemon.cli.session import CommandSession
from daemon.clock import SystemClock
from daemon.config import channels_only, secret_references
from daemon.config.loading import Checks
from daemon.config.parse import document, syntax
from daemon.config.problems import Problems
from daemon.config.secret_references import Surroundings
from daemon.dependencies import Dependencies
from daemon.errors import ConfigError
from daemon.hidden import HiddenMapping
from daemon.simulator import Simulator

PLANTED = "planted-0f3a"
"""Begins every secret of these tests."""

ENVIRON = {
    "COINW_KEY": f"{PLANTED}-environ-key",
    "TOKEN": f"{PLANTED}-environ-token",
    "UNRELATED": f"{PLANTED}-of-another-program",
}

TEXT = f"""
[daemon]
database = "{{database}}"
heartbeat = "http://127.0.0.1:9/{PLANTED}-heartbeat"
proxy = "http://bot:{PLANTED}-proxy@127.0.0.1:9"

[[accounts]]
name = "main"
api_key = "env:COINW_KEY"
secret_key = "{PLANTED}-literal-secret"
rest_url = "{{rest_url}}"
ws_url = ""

[[accounts]]
name = "other"
api_key = "file:key.txt"
secret_key = "credential:coinw"
rest_url = "{{rest_url}}"

[[channels]]
name = "hook"
url = "json://bot:{PLANTED}-password@127.0.0.1:9/{{{{env:TOKEN}}}}"

[[channels]]
name = "whole"
url = "file:url.txt"

[[rules]]
name = "low"
when = "available_margin < 100"
"""

SERVER = f"postgresql+psycopg://owner:{PLANTED}-database@127.0.0.1:9/mw"


def written(folder: Path, database: str, rest_url: str = "http://127.0.0.1:9") -> Path:
    """A rules.toml with a secret in each place where one may stand."""
    (folder / "key.txt").write_text(f"{PLANTED}-file-key", encoding="utf-8")
    (folder / "url.txt").write_text(f"json://127.0.0.1:9/{PLANTED}-file-url", encoding="utf-8")
    (folder / "credentials").mkdir()
    (folder / "credentials" / "coinw").write_text(f"{PLANTED}-credential", encoding="utf-8")
    path = folder / "rules.toml"
    path.write_text(TEXT.format(database=database, rest_url=rest_url), encoding="utf-8")
    return path


def environ(folder: Path) -> dict[str, str]:
    return {**ENVIRON, "CREDENTIALS_DIRECTORY": str(folder / "credentials")}


def session(
    folder: Path, database: str = SERVER, rest_url: str = "http://127.0.0.1:9"
) -> CommandSession:
    return CommandSession(environ=environ(folder), path=written(folder, database, rest_url))


def reachable(*roots: object) -> Iterator[object]:
    """Every object reachable from these, without modules, classes and closures of functions."""
    seen: dict[int, object] = {}
    waiting: list[object] = list(roots)
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(
            each, types.ModuleType | type | types.FrameType | types.CodeType
        ):
            continue
        seen[id(each)] = each
        waiting += _referents(each)
        yield each


def _referents(each: object) -> list[object]:
    if isinstance(each, types.FunctionType):
        return [
            each.__defaults__,
            each.__kwdefaults__,
            *(cell.cell_contents for cell in each.__closure__ or ()),
        ]
    return gc.get_referents(each)


def is_ours(each: object) -> bool:
    """Whether its printing is our business: our types, and calls prepared with their arguments."""
    return type(each).__module__.partition(".")[0] == "daemon" or isinstance(
        each, functools.partial
    )


def printed(each: object) -> Iterator[str]:
    """Each way in which an object ends up in a line without being asked for."""
    yield repr(each)
    yield str(each)
    yield f"{each}"
    yield "".join(traceback.format_exception(ValueError(each)))
    yield "".join(_with_locals(ValueError(each)))
    if dataclasses.is_dataclass(each) and not isinstance(each, type):
        yield repr(as_dict(each))


def as_dict(each: Any) -> object:
    """Like `dataclasses.asdict`, without fields hidden from printing."""
    if dataclasses.is_dataclass(each):
        return {
            one.name: as_dict(getattr(each, one.name))
            for one in dataclasses.fields(each)
            if one.repr
        }
    if isinstance(each, dict):
        return {key: as_dict(value) for key, value in each.items()}
    return list(map(as_dict, each)) if isinstance(each, tuple | list | set | frozenset) else each


def _with_locals(error: Exception) -> Iterator[str]:
    """The place of the exception as a debugger or a report library shows it."""

    def fail(held: Exception) -> None:
        raise held

    try:
        fail(error)
    except ValueError as caught:
        yield from traceback.TracebackException.from_exception(caught, capture_locals=True).format()


def leaks(*roots: object) -> list[str]:
    """The types that print a secret, of all that can be reached."""
    found = {
        f"{type(each).__module__}.{type(each).__qualname__}"
        for each in reachable(*roots)
        if is_ours(each) and any(PLANTED in text for text in printed(each))
    }
    return sorted(found)


def test_the_search_finds_what_prints_a_secret() -> None:
    """Strict 3: a search that finds nothing at all would prove nothing."""
    assert leaks([functools.partial(print, f"{PLANTED}-argument")]) == ["functools.partial"]


def test_no_part_of_a_configuration_prints_a_secret(tmp_path: Path) -> None:
    """Strict 3: the session, the configuration, and the tables and references it was made from."""
    there = session(tmp_path)
    config = there.config()
    text = configs.read_text(config.path)
    around = Surroundings(HiddenMapping(there.environ), tmp_path)
    tables = document.read(syntax.parse(text, config.path), Problems())
    resolved = [
        secret_references.key("env:COINW_KEY", around),
        secret_references.url("file:url.txt", around),
    ]
    channels = channels_only.channels(
        text, path=config.path, environ=there.environ, problem=lambda _url: None
    )
    assert PLANTED in "".join(config.secrets())
    assert leaks(there, config, around, tables, resolved, channels) == []


def test_nothing_on_the_way_of_a_load_prints_a_secret(tmp_path: Path) -> None:
    """Strict 3: the state of a load when an adapter is asked."""
    seen: list[str] = []

    def look(*_: object) -> list[tuple[str, str]]:
        frames = [info.frame for info in inspect.stack()]
        seen.extend(
            leaks(
                *(value for frame in frames for value in frame.f_locals.values() if is_ours(value))
            )
        )
        return []

    path = written(tmp_path, SERVER)
    configs.read(path, environ=environ(tmp_path), checks=Checks(account=look))
    assert seen == []


def test_a_mistake_beside_a_secret_prints_none(tmp_path: Path) -> None:
    """Strict 3: the failure of a load, with its causes and our objects in its frames."""
    path = written(tmp_path, SERVER)
    path.write_text(path.read_text(encoding="utf-8").replace("< 100", "<"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        configs.read(path, environ=environ(tmp_path), checks=CHECKS)
    assert PLANTED not in "".join(traceback.format_exception(caught.value))
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    held = [value for frame in frames for value in frame.f_locals.values() if is_ours(value)]
    assert held
    assert leaks(*held) == []


@pytest.fixture
async def app(tmp_path: Path, database: str) -> AsyncIterator[App]:
    exchange = Simulator(SystemClock())
    await exchange.start()
    config = session(tmp_path, database, exchange.rest_url).config()
    made = App(config, Dependencies())
    await made.start()
    yield made
    await made.stop()
    await exchange.stop()


@pytest.fixture
def database() -> str:
    return "sqlite:///marginwatch.db"


async def test_no_part_of_a_running_daemon_prints_a_secret(app: App) -> None:
    """Strict 3: exchanges, notifiers, the heartbeat, the store: all objects of the daemon."""
    assert leaks(app) == []


def test_no_part_of_a_daemon_prints_the_password_of_its_database(tmp_path: Path) -> None:
    """Strict 3: the objects built before the server is asked."""
    assert leaks(App(session(tmp_path).config(), Dependencies())) == []


# Without an instance: what a field is called, and what may stand in it.

TELLING = re.compile(
    r"(.*_)?(key|secret|secrets|token|password|passphrase|url|environ|raw|hidden|login|database)"
)
"""Names of fields that hold a secret where they hold text."""

OPEN = re.compile(r"(rest|ws)_url")
"""Addresses in which a user and password are refused."""


def modules() -> Iterator[types.ModuleType]:
    for each in pkgutil.walk_packages(daemon.__path__, "daemon."):
        if not each.name.endswith("__main__"):
            yield importlib.import_module(each.name)


def classes() -> set[type]:
    found = {
        each for module in modules() for each in vars(module).values() if isinstance(each, type)
    }
    return {each for each in found if each.__module__.startswith("daemon.")}


def shown_fields(kind: Any) -> dict[str, object]:
    """The fields that printing shows, with their annotations."""
    if dataclasses.is_dataclass(kind):
        return {one.name: one.type for one in dataclasses.fields(kind) if one.repr}
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return dict(kind.__annotations__)
    return {}


def holds_text(annotation: object) -> bool:
    """Whether text may stand there, as such or inside; what is called to get it shows nothing."""
    written = str(annotation)
    return (
        not re.search("HiddenMapping|Callable", written)
        and re.search(r"\b(str|object|Any)\b", written) is not None
    )


def test_fields_that_sound_secret_are_not_shown() -> None:
    """Strict 3: a field for a key, token, address or environment is hidden, in any class."""
    found = [
        f"{kind.__module__}.{kind.__qualname__}.{name}"
        for kind in classes()
        for name, annotation in shown_fields(kind).items()
        if TELLING.fullmatch(name) and not OPEN.fullmatch(name) and holds_text(annotation)
    ]
    assert sorted(found) == []
