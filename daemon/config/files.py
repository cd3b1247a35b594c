"""Where the rules.toml is, and reading it. What it says is `loading`'s business."""

import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from daemon.config.loading import Checks, load, load_policy
from daemon.config.model import Config
from daemon.config.paths import expanded
from daemon.errors import ConfigError, owned

VARIABLE = "MARGINWATCH_CONFIG"

LARGEST = 32 << 20
"""Bytes of a rules.toml; whatever is larger is another file, or a device that never ends."""

PLACES = (Path("rules.toml"), Path("/etc/marginwatch/rules.toml"))


def find(option: str | Path | None, environ: Mapping[str, str], places: tuple[Path, ...] = PLACES) -> Path:
    """The configuration to use: the option `--config`, else $MARGINWATCH_CONFIG, else the first of `places`.

    Raises:
        ConfigError: when there is none; one that was asked for by name is not looked for here.

    """
    if option or environ.get(VARIABLE):
        return expanded(option or environ[VARIABLE], environ)
    found = next((place for place in places if stands(place)), None)
    if found is None:
        looked = " nor ".join(map(str, places))
        raise ConfigError([f"there is neither {looked}; `marginwatch init` writes one, --config PATH names one"])
    return found


def stands(place: Path) -> bool:
    """Whether something is there; what may not be looked at is, and reading it will say why it cannot be."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def text(path: Path) -> str:
    """What stands in the file.

    Raises:
        ConfigError: when it cannot be read, with the remedy.

    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            problem = f"is larger than {LARGEST >> 20} MB, so it is no rules.toml; name another file"
        elif "\0" not in (decoded := content.decode("utf-8-sig")):
            return decoded.replace("\r\n", "\n").replace("\r", "\n")
        else:  # UTF-16 without a mark is full of these
            problem = f"is not text in UTF-8 (byte {content.index(0)}); save it as UTF-8"
    except FileNotFoundError:
        problem = "there is no such file; `marginwatch init` writes one"
    except IsADirectoryError:
        problem = "is a folder; name the file in it"
    except UnicodeDecodeError as error:
        problem = f"is not text in UTF-8 (byte {error.start}); save it as UTF-8"
    except OSError as error:
        problem = f"cannot be read ({error.strerror}){owned(path)}; check who may read it"
    raise ConfigError([f"{path}: {problem}"])


def read(path: Path, *, environ: Mapping[str, str], checks: Checks | None = None, secrets: bool = True) -> Config:
    """The configuration in the file, with a warning when others can read the secrets in it.

    Raises:
        ConfigError: with all mistakes, each with its place.

    """
    config = load(text(path), path=path, environ=environ, checks=checks, secrets=secrets)
    if config.holds_secrets and path.stat().st_mode & stat.S_IROTH:
        warning = f"{path}: holds secrets and can be read by every user of this machine; chmod 600 {path}"
        return replace(config, warnings=(warning, *config.warnings))
    return config


def read_policy(path: Path, *, base: Config, environ: Mapping[str, str]) -> Config:
    """The rules in another file, to be tried out in the place of those of `base`; see `load_policy`.

    Raises:
        ConfigError: with all mistakes, each with the file and its place.

    """
    written = text(path)
    try:
        return load_policy(written, path=path, base=base, environ=environ)
    except ConfigError as error:
        head = f"{path.name}: "
        raise ConfigError([each if each.startswith(head) else head + each for each in error.problems]) from None
