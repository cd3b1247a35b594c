"""Finding an exchange by its name, and what every one of them must offer."""

import subprocess
import sys
from dataclasses import replace

import pytest

from daemon.exchanges import ExchangeAccount, Streaming, load, names, stream_protocol


def test_coinw_is_there() -> None:
    """The exchanges are the files of the folder that are no tools."""
    assert names() == ("coinw",)


@pytest.mark.parametrize("name", names())
def test_every_exchange_keeps_the_contract(name: str) -> None:
    """Each offers its default addresses, which are usable, and a way to connect."""
    adapter = load(name)
    account = ExchangeAccount(
        "main", api_key="key", secret_key="secret", rest_url=adapter.REST_URL, ws_url=adapter.WS_URL
    )
    assert (list(adapter.problems(account)), callable(adapter.connect)) == ([], True)


@pytest.mark.parametrize("name", names())
def test_a_push_stream_may_be_done_without(name: str) -> None:
    """No stream if `ws_url` is empty or the exchange offers none."""
    adapter = load(name)
    account = ExchangeAccount(
        "main", api_key="key", secret_key="secret", rest_url=adapter.REST_URL, ws_url=adapter.WS_URL
    )
    assert stream_protocol(name, replace(account, ws_url="")) is None
    assert (stream_protocol(name, account) is not None) is isinstance(adapter, Streaming)


@pytest.mark.parametrize(
    "name", ["", "binance", "http", "simulator", "coinw.x", "../coinw", "CoinW"]
)
def test_an_unknown_exchange_is_explained(name: str) -> None:
    """Nothing else is an exchange, and the sentence says what there is."""
    with pytest.raises(LookupError) as raised:
        load(name)
    assert f'there is no exchange "{name}": choose one of coinw' == raised.value.args[0]


def test_naming_and_validating_load_no_http_library() -> None:
    """Checking an account's keys is quick: aiohttp is imported by the first call, not before."""
    program = "import sys, daemon.exchanges as e; e.load('coinw'); print('aiohttp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_an_account_hides_its_secrets() -> None:
    """Promise 9: neither key appears in the account's repr."""
    shown = repr(
        ExchangeAccount(
            "main", api_key="KEY", secret_key="SECRET", rest_url="https://api.coinw.com"
        )
    )
    assert [secret in shown for secret in ("KEY", "SECRET")] == [False, False]
