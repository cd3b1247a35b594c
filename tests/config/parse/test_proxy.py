"""`proxy` and `ca_file`: the route of an address, and mistakes in these keys."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from daemon.config.parse import proxy
from daemon.types import DIRECT, Route
from tests.config.written import ACCOUNT, CHANNELS, RULE, WHOLE, loaded, problems

REST, STREAM, LOCAL = (
    "https://api.coinw.com",
    "wss://ws.futurescw.com/perpum",
    "http://127.0.0.1:18999",
)
NAMED = {"HTTPS_PROXY": "http://corp.example:3128"}
CORP, MINE = Route("http://corp.example:3128"), Route("http://127.0.0.1:8080")


def daemon(proxy: str = "", own: str = "", rest_url: str = REST, **more: str) -> str:
    """A whole configuration with these in [daemon] and in its account."""
    keys = "".join(f'{key} = "{value}"\n' for key, value in {"proxy": proxy, **more}.items())
    account = f'{ACCOUNT}proxy = "{own}"\nrest_url = "{rest_url}"\n'
    return f"[daemon]\n{keys}{account}{CHANNELS}{RULE}"


@pytest.mark.parametrize(
    ("wanted", "environ", "expected"),
    [
        ("", {}, DIRECT),
        ("off", NAMED, DIRECT),
        ("", NAMED, Route(unused="HTTPS_PROXY")),
        ("", {"all_proxy": "socks5://x:1"}, Route(unused="all_proxy")),
        ("", NAMED | {"NO_PROXY": "*"}, DIRECT),
        ("http://127.0.0.1:8080", NAMED, MINE),
        ("env", {}, DIRECT),
        ("env", NAMED, CORP),
        ("env", {"https_proxy": "corp.example:3128"}, CORP),
        ("env", {"ALL_PROXY": "http://corp.example:3128"}, CORP),
        (
            "env",
            {"all_proxy": "http://corp.example:3128", "HTTPS_PROXY": "http://127.0.0.1:8080"},
            MINE,
        ),
        ("env", {"https_proxy": "http://127.0.0.1:8080", **NAMED}, MINE),
        ("env", {"https_proxy": "", **NAMED}, CORP),
        ("env", {"HTTP_PROXY": "http://corp.example:3128"}, DIRECT),
        ("env", NAMED | {"NO_PROXY": "futurescw.com,.coinw.com"}, DIRECT),
        ("env", NAMED | {"no_proxy": "other.example, ws.futurescw.com:443"}, DIRECT),
        ("env", NAMED | {"no_proxy": "*.futurescw.com"}, DIRECT),
        (
            "env",
            NAMED
            | {"no_proxy": "scw.com,futurescw.co,xws.futurescw.com,ws.futurescw.com:80,10.0.0.0/8"},
            CORP,
        ),
    ],
)
def test_a3_which_way_an_address_is_called(
    wanted: str, environ: Mapping[str, str], expected: Route
) -> None:
    """A3: calls and pushes; variables in both cases, the host's exceptions, `off` for none."""
    assert {proxy.route(wanted, STREAM, environ, own=own) for own in (False, True)} == {expected}


@pytest.mark.parametrize(
    ("host", "exempt", "expected"),
    [
        ("10.1.2.3", "10.0.0.0/8", DIRECT),
        ("10.1.2.3", "10.1.2.3", DIRECT),
        ("10.1.2.3", "10.1.2.4,11.0.0.0/8,2.3", CORP),
        ("[2001:db8::7]", "2001:db8::/32", DIRECT),
        ("10.1.2.3:8443", "10.1.2.3:8443", DIRECT),
        ("API.coinw.com", "API.COINW.COM", DIRECT),
    ],
)
def test_a3_hosts_that_the_environment_excepts(host: str, exempt: str, expected: Route) -> None:
    """A3: networks, ports and letters of either case in NO_PROXY."""
    assert (
        proxy.route("env", f"https://{host}/x", NAMED | {"NO_PROXY": exempt}, own=False) == expected
    )


@pytest.mark.parametrize(
    "url", [LOCAL, "http://localhost:1", "ws://[::1]:1/x", "https://127.0.0.1:8443"]
)
def test_a3_this_machine_itself_is_called_directly(url: str) -> None:
    """A3: only the account's own proxy is used for it, not the environment's or [daemon]'s."""
    environ = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:8080")
    for wanted in ("", "env", "off"):
        assert {proxy.route(wanted, url, environ, own=own) for own in (False, True)} == {DIRECT}
    assert proxy.route("http://127.0.0.1:8080", url, environ, own=False) == DIRECT
    assert proxy.route("http://127.0.0.1:8080", url, environ, own=True) == MINE


def test_a3_an_account_has_its_own_or_that_of_the_daemon() -> None:
    """A3: empty is the daemon's, `off` is none; both addresses of the account have one."""
    found = {}
    for own in ("", "off", "http://127.0.0.1:8080"):
        account = loaded(daemon("http://corp.example:3128", own)).accounts[0]
        assert account.rest_route == account.ws_route
        found[own] = account.rest_route
    assert found == {"": CORP, "off": DIRECT, "http://127.0.0.1:8080": MINE}


FORM = 'must be "env", "off", or an address such as "http://HOST:PORT"'
ENCODED = (
    "holds @, /, # or ? in its user or password, or : in its user; write @ as %40, / as %2F, # as"
    " %23 and ? as %3F"
)
SOCKS = "names a SOCKS proxy, which is not supported; name an HTTP proxy, http://HOST:PORT"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("evn", FORM),
        ("corp.example:3128", FORM),
        ("ftp://corp.example", FORM),
        ("http://", FORM),
        ("http://corp.example:99999", FORM),
        ("http://me:planted-pw@", FORM),
        ("http://[::1%25eth0]:3128", FORM),
        ("http://2130706433:3128", FORM),
        ("http://corp..example:3128", FORM),
        (
            "http://corp.example\\\\@localhost:3128",
            "holds a space or a character that no address has; copy it again",
        ),
        ("socks5://corp.example:1080", SOCKS),
        ("SOCKS5h://me:planted-pw@corp.example:1080", SOCKS),
        ("http://me:planted@pw@corp.example", ENCODED),
        ("http://me:planted/pw@corp.example", ENCODED),
        ("http://me:planted#pw@corp.example", ENCODED),
        ("http://me:planted?pw@corp.example", ENCODED),
        ("http://m%3Ae:planted-pw@corp.example", ENCODED),
        ("http://corp.example:3128/path", "must end behind the port"),
        ("http://corp.example:3128?x=planted-pw", "must end behind the port"),
        (
            "http://me:planted pw@corp.example",
            "holds a space or a character that no address has; copy it again",
        ),
        (
            "http://me:plantedpwé@corp.example",
            "holds a space or a character that no address has; copy it again",
        ),
        (
            "http://{env:NOT_SET}@corp.example",
            "the environment variable NOT_SET is not set; set it, or use file:PATH",
        ),
        ("http://{PROXY_USER}@corp.example", "write {env:PROXY_USER} instead of ***"),
    ],
)
def test_a3_a_proxy_that_cannot_be_used(written: str, sentence: str) -> None:
    """A3, A6: one sentence with its place, without any part of a password."""
    shared, own = problems(daemon(written)), problems(daemon("", written))
    assert (shared, own) == (
        [f"daemon.proxy: {sentence}"],
        [f'accounts "main" (line 4).proxy: {sentence}'],
    )
    assert "planted" not in str(shared + own)


def test_a3_a_variable_that_cannot_be_used_is_named_once() -> None:
    """A3: a wrong variable is reported only where it is used."""
    environ = {"https_proxy": "socks5://me:planted-pw@corp.example:1080"}
    assert problems(daemon("env"), environ) == [
        f"daemon.proxy: the environment variable https_proxy {SOCKS}"
    ]
    assert problems(daemon("", "env"), environ) == [
        f'accounts "main" (line 4).proxy: the environment variable https_proxy {SOCKS}'
    ]
    assert problems(daemon(), environ) == []


def test_promise_9_no_key_reaches_a_proxy_unencrypted() -> None:
    """Promise 9: a plain address of this machine is called only through a proxy on this machine."""
    elsewhere, here = "http://corp.example:3128", "http://127.0.0.1:8080"
    said = "names a proxy that would see the keys unencrypted; call https:// and wss:// through it"
    assert problems(daemon("", elsewhere, LOCAL)) == [f'accounts "main" (line 4).proxy: {said}']
    assert problems(daemon("", here, LOCAL)) == []


@pytest.mark.parametrize(
    ("written", "environ"),
    [
        ("http://me:planted%40pw@corp.example", {}),
        ("http://{env:U}:{env:P}@corp.example", {"U": "me", "P": "planted@pw"}),
        ("env:P", {"P": "http://me:planted%40pw@corp.example"}),
        ("env", {"HTTPS_PROXY": "http://me:planted%40pw@corp.example"}),
        ("", {"all_proxy": "me:planted%40pw@corp.example:1"}),
    ],
)
def test_promise_9_its_password_is_a_secret(written: str, environ: Mapping[str, str]) -> None:
    """Promise 9: the log hides it as written and decoded, also where the proxy is not used."""
    config = loaded(daemon(written), environ)
    assert {"planted@pw", "planted%40pw"} <= config.secrets()
    assert "planted" not in repr(config)
    assert config.holds_secrets  # of the key


def test_a3_a_password_in_the_file_is_one() -> None:
    """Promise 9: then the file should be readable by its owner alone."""
    keys = ACCOUNT.replace('"planted-key-0001"', '"env:K"').replace(
        '"planted-secret-0001"', '"env:K"'
    )
    text = f'[daemon]\nproxy = "http://{{}}corp.example"\n{keys}{RULE}'
    known = {"K": "planted-key-0001"}
    assert not loaded(text.replace("{}", ""), known).holds_secrets
    assert not loaded(text.replace("{}", "{env:K}@"), known).holds_secrets
    assert loaded(text.replace("{}", "me:planted-pw@"), known).holds_secrets


def test_a3_the_authorities_are_read(tmp_path: Path) -> None:
    """A3: `check` refuses unusable ones; the path is relative to rules.toml, and ~ is the home."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "empty.pem").write_text("nothing\n")
    path = tmp_path / "rules.toml"
    assert loaded(daemon(ca_file="ca.pem"), path=path).daemon.ca_file == str(tmp_path / "ca.pem")
    assert loaded(WHOLE, path=path).daemon.ca_file == ""
    nothing = "holds no certificate; it must be PEM, with BEGIN CERTIFICATE"
    said = {
        name: problems(daemon(ca_file=name), path=path) for name in ("gone.pem", "empty.pem", ".")
    }
    assert said == {
        "gone.pem": [
            (
                f"daemon.ca_file: the file {tmp_path}/gone.pem does not exist; create it, or"
                " correct its name"
            )
        ],
        "empty.pem": [f"daemon.ca_file: the file {tmp_path}/empty.pem {nothing}"],
        ".": [f"daemon.ca_file: the file {tmp_path} is a folder; name the file in it"],
    }
    (home,) = problems(daemon(ca_file="~/gone-of-nobody.pem"), path=path)
    assert str(Path.home()) in home
