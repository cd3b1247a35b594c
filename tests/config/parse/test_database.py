"""The key `database`: passwords that a URL would cut, and folders named like parts of a URL."""

from pathlib import Path
from pwd import getpwuid

import pytest

from daemon import addresses
from daemon.config import Checks
from daemon.config.parse.database import resolve_address
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Surroundings
from daemon.hidden import HiddenMapping
from daemon.redaction import Redactor
from daemon.store.database import engine
from tests.config.written import WHOLE, loaded, problems

KINDS = 'must be "sqlite:///FILE" or "postgresql+psycopg://USER@HOST/NAME"'

CUTS = (
    "s3@cret-tail.invalid/9xYz",
    "s3/cret-tail",
    "s3?cret-tail",
    "s3#cret-tail",
    "s3@cret-tail",
    "@@cret-tail",
    "s3/@#?cret-tail",
)
"""Passwords of which a parser of URLs takes a part for the host, the path, or what follows."""

ADDRESSES = {
    "database": "postgresql+psycopg://watch:{}@127.0.0.1/mw",
    "heartbeat": "https://watch:{}@hc.example.com/ping",
    "rest_url": "https://watch:{}@api.example.com",
    "ws_url": "wss://watch:{}@ws.example.com/perpum",
}


def daemon(key: str, value: str) -> str:
    return f"[daemon]\n{key} = '{value}'\n"


def written(key: str, value: str) -> str:
    """A whole configuration with an address at a key of [daemon] or of its account."""
    if key in {"database", "heartbeat"}:
        return WHOLE + daemon(key, value)
    return WHOLE.replace('name = "main"\n', f"name = \"main\"\n{key} = '{value}'\n")


def parts_of(password: str) -> list[str]:
    """Parts of a password that must not be seen."""
    for cut in "@/?#":
        password = password.replace(cut, " ")
    return [part for part in password.split() if len(part) > 3]


@pytest.mark.parametrize("key", ADDRESSES)
@pytest.mark.parametrize("password", CUTS)
def test_a_password_that_a_url_would_cut_is_a_mistake(key: str, password: str) -> None:
    """A6: its rest would be read as a host, shown and looked up; no part of it is shown."""
    (sentence,) = problems(written(key, ADDRESSES[key].format(password)))
    assert "user or password" in sentence
    assert [part for part in parts_of(password) if part in sentence] == []


@pytest.mark.parametrize("password", CUTS)
def test_the_remedy_says_how_to_write_it(password: str) -> None:
    """A6: percent-encoded, or where it need not be."""
    (sentence,) = problems(written("database", ADDRESSES["database"].format(password)))
    assert (
        "write @ as %40, / as %2F, ? as %3F, # as %23, or put the password into {file:PATH}"
        in sentence
    )


@pytest.mark.parametrize("password", CUTS)
def test_a_password_in_a_file_may_hold_anything(password: str, tmp_path: Path) -> None:
    """A6: the remedy works: the store gets the password as it is, and the log knows it."""
    (tmp_path / "pw").write_text(password, encoding="utf-8")
    text = written("database", "postgresql+psycopg://watch:{file:pw}@127.0.0.1/mw")
    config = loaded(text, path=tmp_path / "rules.toml")
    assert engine.parse(config.daemon.database.reveal()).password == password
    assert password in config.secrets()


@pytest.mark.parametrize("key", [*ADDRESSES, "url"])
@pytest.mark.parametrize("password", CUTS)
def test_no_mistake_beside_it_shows_a_part(key: str, password: str) -> None:
    """A6: all between "://" and the last "@" is hidden, whatever else is wrong."""
    tail = next(part for part in parts_of(password) if "tail" in part)
    address = ADDRESSES.get(key, "json://watch:{}@127.0.0.1/hook").format(password)
    text = (
        written(key, address)
        if key != "url"
        else f"{WHOLE}[[channels]]\nname = 'hook'\nurl = '{address}'\n"
    )
    said: Checks = Checks(
        account=lambda *_: [("user_id", f"cannot ask {tail}")],
        channel=lambda _url: f"no host {tail}",
    )
    assert tail not in "\n".join(problems(text, checks=said))


@pytest.mark.parametrize("password", CUTS)
def test_the_log_knows_the_parts_of_a_channels_password(password: str) -> None:
    """A6: a library's view of a channel whose password was cut."""
    config = loaded(
        f"{WHOLE}[[channels]]\nname = 'hook'\nurl = 'json://watch:{password}@127.0.0.1/hook'\n"
    )
    line = f"no such host {' '.join(parts_of(password))}"
    assert Redactor(config.secrets()).redact(line) == "no such host " + " ".join(
        "***" for _ in parts_of(password)
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://tail-4711/x@api.example.com",
        "https://user:pw@api.example.com",
        "https://a/b?c#d@api.example.com",
    ],
)
def test_an_exchange_takes_no_address_with_a_user(address: str) -> None:
    """A6: nor one whose user a parser takes for the host."""
    assert addresses.problem(address, "https") == "must not hold a user or password"


@pytest.mark.parametrize(
    ("written_url", "secret"),
    [
        ("postgresql+psycopg://u@h/db?password=query-pw", "query-pw"),
        ("postgresql+psycopg://u@h/db?sslpassword=query-pw", "query-pw"),
        ("postgresql+psycopg://u:p%40ss-word@h/db", "p@ss-word"),
        ("postgresql+psycopg://u:pa:ss-word@h:5432/db", "pa:ss-word"),
    ],
)
def test_a_password_is_known_wherever_it_stands(written_url: str, secret: str) -> None:
    """A6: also behind the "?", and decoded; `check` notices that the file holds it."""
    config = loaded(WHOLE + daemon("database", written_url))
    assert secret in config.secrets()
    assert config.holds_secrets


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://owner@127.0.0.1:5432/mw",
        "postgresql+psycopg://owner@[::1]:5432/mw",
        "postgresql+psycopg:///mw?host=/run/postgresql",
    ],
)
def test_the_address_of_a_server_stays_as_it_is(url: str) -> None:
    """With a user, an address in brackets, or the local socket."""
    assert loaded(WHOLE + daemon("database", url)).daemon.database.reveal() == url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:/mw.db", KINDS),
        ("sqlite://mw.db", KINDS),
        ("sqlite:///", KINDS),
        ("sqlite:////", KINDS),
        ("sqlite:///:memory:", KINDS),
        ("mw.db", KINDS),
        ("mysql://u:planted-pw@h/d", KINDS),
        ("postgresql+psycopg://h", KINDS),
        ("postgresql+psycopg://u:planted-pw@h:port/d", KINDS),
        ("sqlite:///file:mw.db", "write the path itself, without file:"),
        (
            "sqlite:///mw.db?mode=ro",
            "takes no options: leave out what follows the ?, or write a ? in a name as %3F",
        ),
        (
            "sqlite:///a%00b",
            (
                "its path holds a control character, or one that is not UTF-8; rename that folder"
                " or file"
            ),
        ),
    ],
)
def test_what_is_no_database_is_a_mistake(url: str, sentence: str) -> None:
    """A7: found when the file is read, not when the daemon starts."""
    assert problems(WHOLE + daemon("database", url)) == [f"daemon.database: {sentence}"]


def test_the_name_of_a_database_is_not_taken_for_that_of_a_secret(tmp_path: Path) -> None:
    """A file of that name lies there, and `file:` would be the wrong remedy."""
    (tmp_path / "mw.db").touch()
    with pytest.raises(MistakeError) as caught:
        resolve_address("mw.db", Surroundings(HiddenMapping({}), tmp_path))
    assert str(caught.value) == KINDS


FOLDERS = (
    "100%25 grid",
    "what?",
    "a?b",
    "a?c",
    "a#b",
    "two words",
    "[x]",
    "a&b",
    "größe",
    "100%",
    "a;b",
    "~",
    "%2e%2e",
    "a?x=1",
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folders_name_is_no_part_of_a_url(folder: str, tmp_path: Path) -> None:
    """A8: the database lies where the rules.toml is, whatever the folder is called."""
    place = tmp_path / folder / "rules.toml"
    for database, expected in (
        ("", "marginwatch.db"),
        (daemon("database", "sqlite:///sub/w.db"), "sub/w.db"),
    ):
        url = loaded(WHOLE + database, path=place).daemon.database.reveal()
        assert engine.parse(url).database == str(tmp_path / folder / expected)


@pytest.mark.parametrize(
    ("written_path", "meant"),
    [
        ("~/watch/mw.db", "/home/me/watch/mw.db"),
        ("~root/mw.db", f"{getpwuid(0).pw_dir}/mw.db"),
        ("~nobody-of-that-name/mw.db", "{folder}/~nobody-of-that-name/mw.db"),
        ("%7E/mw.db", "/home/me/mw.db"),
        ("a~b/mw.db", "{folder}/a~b/mw.db"),
        ("/abs/mw.db", "/abs/mw.db"),
        ("what%3F/mw.db", "{folder}/what?/mw.db"),
    ],
)
def test_a_path_may_begin_at_home(written_path: str, meant: str, tmp_path: Path) -> None:
    """A7: `~` is the home folder, as in a shell."""
    text = WHOLE + daemon("database", f"sqlite:///{written_path}")
    url = loaded(text, {"HOME": "/home/me"}, path=tmp_path / "rules.toml").daemon.database.reveal()
    assert Path(str(engine.parse(url).database)) == Path(meant.format(folder=tmp_path))


def test_secrets_may_lie_at_home(tmp_path: Path) -> None:
    """A7: `~` is expanded wherever a path may stand: of keys, and inside addresses."""
    (tmp_path / "key").write_text("key-at-home", encoding="utf-8")
    text = WHOLE.replace("planted-key-0001", "file:~/key").replace("com/phone", "com/{file:~/key}")
    config = loaded(text, {"HOME": str(tmp_path)}, path=Path("/elsewhere/rules.toml"))
    assert config.accounts[0].api_key.reveal() == "key-at-home"
    assert config.channels[0].url.reveal() == "jsons://example.com/key-at-home"


@pytest.mark.parametrize(
    ("place", "environ", "named"),
    [
        ("db.example.com/mw", {}, "db.example.com"),
        ("db.example.com:5433/mw", {}, "db.example.com"),
        ("10.0.0.7/mw", {}, "10.0.0.7"),
        ("[2001:db8::1]:5432/mw", {}, "2001:db8::1"),
        ("foo.localhost/mw", {}, "foo.localhost"),
        ("127.1/mw", {}, "127.1"),
        ("/mw?host=db.example.com", {}, "db.example.com"),
        ("localhost/mw?host=127.0.0.1,db.example.com:5433", {}, "db.example.com"),
        ("localhost/mw?hostaddr=10.0.0.7", {}, "10.0.0.7"),
        *(
            (f"db.example.com/mw?sslmode={mode}", {}, "db.example.com")
            for mode in ("prefer", "require", "verify-ca")
        ),
        ("db.example.com/mw?sslmode=verify-full&sslmode=require", {}, "db.example.com"),
        ("db.example.com/mw?sslmode=require", {"PGSSLMODE": "verify-full"}, "db.example.com"),
        ("db.example.com/mw?sslmode=verify-full&sslrootcert=/ca.pem", {}, None),
        ("db.example.com/mw", {"PGSSLMODE": "verify-full"}, None),
        ("127.0.0.1/mw", {}, None),
        ("localhost:5432/mw", {}, None),
        ("[::1]:5432/mw", {}, None),
        ("/mw", {}, None),
        ("/mw?host=/run/postgresql", {}, None),
    ],
)
def test_s13_a_server_beyond_this_machine_wants_tls_and_its_name(
    place: str, environ: dict[str, str], named: str | None
) -> None:
    """S13: without verify-full the driver uses plain text, or takes any server's certificate."""
    text = WHOLE + daemon("database", f"postgresql+psycopg://watch:planted-pw@{place}")
    said = [each for each in loaded(text, environ).warnings if each.startswith("daemon.database: ")]
    assert [each.partition(" may read")[0] for each in said] == (
        [f"daemon.database: whoever is on the way to {named}"] if named else []
    )
    assert "planted-pw" not in "".join(said)
