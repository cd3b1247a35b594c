"""Finds the rules.toml and reads it. Its contents are interpreted in `loading`."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from daemon.config import protected_file
from daemon.config.loading import Checks, load, load_policy
from daemon.config.model import Config
from daemon.config.parse import database
from daemon.config.parse.paths import expanded
from daemon.config.protected_file import NotRegularError, ProtectedFile
from daemon.errors import ConfigError, owner_text

VARIABLE = "MARGINWATCH_CONFIG"

LARGEST = 1 << 20
"""Largest rules.toml, in bytes; a larger file is something else."""

PLACES = (Path("rules.toml"), Path("/etc/marginwatch/rules.toml"))


def find(
    option: str | Path | None, environ: Mapping[str, str], places: tuple[Path, ...] = PLACES
) -> Path:
    """The configuration to use: `--config`, else $MARGINWATCH_CONFIG, else the first of `places`.

    Raises:
        ConfigError: when there is none. A file named explicitly is not looked for here.
    """
    if option or environ.get(VARIABLE):
        return expanded(option or environ[VARIABLE], environ)
    found = next((place for place in places if is_present(place)), None)
    if found is None:
        looked = " nor ".join(map(str, places))
        raise ConfigError(
            [f"there is neither {looked}; `marginwatch init` writes one, --config PATH names one"]
        )
    return found


def is_present(place: Path) -> bool:
    """Whether something is there. True if this user may not look: reading gives the reason."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_text(path: Path, *, protected: bool = False) -> str:
    """The contents of the file. A `protected` file is refused when another user could change it.

    Raises:
        ConfigError: when it cannot be read or is refused, with the remedy.
    """
    found = _file(path)
    if protected and found.weaknesses:
        raise ConfigError([f"{path}: {weakness}" for weakness in found.weaknesses])
    return normalised(_decoded(path, found.content))


def read_exact(path: Path) -> str:
    """The contents with their line breaks and byte order mark, to be written back.

    Raises:
        ConfigError: when the file cannot be read, with the remedy.
    """
    return _decoded(path, _file(path).content)


def normalised(written: str) -> str:
    """The text as TOML's reader takes it: no byte order mark, plain line breaks."""
    return written.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _decoded(path: Path, content: bytes) -> str:
    try:
        decoded = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error.start) from None
    if "\0" in decoded:  # UTF-16 without a byte order mark
        raise _not_utf8(path, content.index(0))
    return decoded


def _file(path: Path) -> ProtectedFile:
    try:
        found = protected_file.read(path, LARGEST)
    except FileNotFoundError:
        problem = "there is no such file; `marginwatch init` writes one"
    except IsADirectoryError:
        problem = "is a folder; name the file in it"
    except NotRegularError:
        problem = "is a pipe or a device, not a file; save it as a file, and name that"
    except OSError as error:
        problem = f"cannot be read ({error.strerror}){owner_text(path)}; check who may read it"
    else:
        if len(found.content) <= LARGEST:
            return found
        problem = f"is larger than {LARGEST >> 20} MB, so it is no rules.toml; name another file"
    raise ConfigError([f"{path}: {problem}"])


def _not_utf8(path: Path, at: int) -> ConfigError:
    return ConfigError([f"{path}: is not text in UTF-8 (byte {at}); save it as UTF-8"])


def read(
    path: Path,
    *,
    environ: Mapping[str, str],
    checks: Checks | None = None,
    secrets: bool = True,
    tolerant: bool = False,
) -> Config:
    """Load the configuration from the file, which with its `secrets` must be safe from other users.

    Others may read the record by it. Where they can read the secrets in it, that is a warning.
    `tolerant` is explained at `load`.

    Raises:
        ConfigError: with all mistakes, each with its place.
    """
    written = read_text(path, protected=secrets)
    config = load(
        written, path=path, environ=environ, checks=checks, secrets=secrets, tolerant=tolerant
    )
    if secrets:
        weak = tuple(_weaknesses_of_database(config))
        config = replace(config, warnings=(*weak, *config.warnings), replaceable=weak)
    if config.holds_secrets and protected_file.is_exposed(path):
        remedy = f"chmod 600 {shlex.quote(str(path))}"
        warning = f"{path}: holds secrets and can be read by every user of this machine; {remedy}"
        return replace(
            config, warnings=(warning, *config.warnings), exposed=(warning, *config.exposed)
        )
    return config


def _weaknesses_of_database(config: Config) -> Iterator[str]:
    """Ways in which other users could replace the database by their own, or by a link.

    These are warnings, not refusals: a container's volume is often writable for everybody but seen
    by nobody else. An update must not end a daemon that worked so far.
    """
    file = database.file_of(config.daemon.database.reveal())
    if file is not None:
        yield from (
            f"daemon.database: {file} {weakness}" for weakness in protected_file.replaceable(file)
        )


def read_policy(path: Path, *, base: Config, environ: Mapping[str, str]) -> Config:
    """Load other rules from a file, to be tried out instead of those of `base`; see `load_policy`.

    Raises:
        ConfigError: with all mistakes, each with the file and its place.
    """
    written = read_text(path)
    try:
        return load_policy(written, path=path, base=base, environ=environ)
    except ConfigError as error:
        head = f"{path.name}: "
        raise ConfigError(
            [each if each.startswith(head) else head + each for each in error.problems]
        ) from None
