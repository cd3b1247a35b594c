"""CoinW USDT-M futures: signs `getUserAssets`, parses its answer and explains failures.

Its push stream is in `frames`, its call limits are defaults of `[budget]` in `config.model`.

`sign` and `parse` are pure. Nothing here retries, sleeps or decides when to call. The facts about
the answer are from
https://www.coinw.com/api-doc/en/futures-trading/assets/get-futures-account-assets, the signing rule
is from the page "Authentication & Code Snippet > Futures", the codes are from "Error codes".
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace

from daemon import addresses
from daemon.exchanges import ExchangeAccount, ExchangeDependencies, Problem
from daemon.exchanges.coinw.frames import Frames, frames
from daemon.exchanges.common.clock_skew import Skew, bounds
from daemon.exchanges.common.responses import (
    MISPLACED,
    PAUSING,
    UNKNOWN,
    MalformedError,
    Page,
    amounts,
    decode,
    is_blank,
    parse_user_id,
    refusal,
    storable_value,
    tidy,
    words,
)
from daemon.redaction import Redactor
from daemon.text.durations import duration_text
from daemon.types import SECOND, Answer, Balances, Millis, MissReason, NoAnswer

REST_URL = "https://api.coinw.com"
WS_URL = "wss://ws.futurescw.com/perpum"
ASSETS = "/v1/perpum/account/getUserAssets"

_FIELDS = {
    "availableMargin": "available_margin",
    "availableUsdt": "available_usdt",
    "almightyGold": "almighty_gold",
    "alMargin": "al_margin",
    "alFreeze": "al_freeze",
    "crossUnPnl": "cross_un_pnl",
}
_OPTIONAL = "crossUnPnl"
"""Not on the exchange's page; only some answers have it."""

_LABELS = {"userId": "user_id", "time": "time"}
"""Labels of an answer, beside the fields."""

_REFUSALS = {
    6000: MissReason.AUTH,
    6001: MissReason.AUTH,
    6003: MissReason.PERMISSION,
    29001: MissReason.RATE_LIMITED,
    429: MissReason.RATE_LIMITED,
}
_REMEDIES = {
    MissReason.AUTH: (
        "refused the key",
        (
            "check api_key and secret_key, and, if the key is bound to addresses, that this"
            " machine's is among them"
        ),
    ),
    MissReason.PERMISSION: (
        "says the key lacks a permission",
        "give it the futures permission and see that it is active",
    ),
    MissReason.RATE_LIMITED: ("says too many calls", PAUSING),
}
_MISPLACED_CODES = frozenset({"404", "500"})
"""Codes of a wrong address: 500 is documented as mostly a wrong or missing endpoint."""

_FIRST_INSTANT = 10**12
_LAST_INSTANT = 10**14


def sign(secret: str, timestamp: str, method: str, path: str) -> str:
    """Base64 of HMAC-SHA256 over timestamp + method + path (with the query exactly as sent)."""
    text = f"{timestamp}{method.upper()}{path}"
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)).decode()


def parse(page: Page, secrets: Sequence[str] = ()) -> Answer | NoAnswer:
    """Parse a page: the balances, or the reason of SEMANTICS A3 with one sentence.

    Most refusals come as HTTP 200 with a `code`, so a known code ranks before the status. Never
    raises and never invents a number. `secrets` are masked in any text of the server.
    """
    try:
        envelope = decode(page)
    except MalformedError as why:
        said = words(page, secrets)
        quoted = f' ("{said}")' if said else ""
        broken = NoAnswer(
            MissReason.BAD_ANSWER, f"CoinW's answer {tidy(str(why), secrets)}{quoted}: asking again"
        )
        return refusal(page, "CoinW", said, secrets=secrets) or broken
    said = _said(envelope, secrets)
    refused = _refused(envelope, said) or refusal(page, "CoinW", said, secrets=secrets)
    return refused or _answer(page.status, envelope, said, secrets)


def _refused(envelope: Mapping[str, object], said: str) -> NoAnswer | None:
    """The refusal of a documented code. The gateway also sends codes as text."""
    code = envelope.get("code")
    known = {str(number): reason for number, reason in _REFUSALS.items()}
    reason = known.get(str(code))
    if reason is None:
        return None
    happened, remedy = _REMEDIES[reason]
    return NoAnswer(reason, f"CoinW {happened} ({said}): {remedy}")


def _said(envelope: Mapping[str, object], secrets: Sequence[str]) -> str:
    """Code and text of a refusal, in the exchange's own words.

    The text is in `msg`, or in `message` if the gateway answers; otherwise it is the first text.
    """
    code = envelope.get("code")
    shown = code if isinstance(code, int | str) else "no code"
    others = (value for key, value in envelope.items() if key != "code")
    texts = (envelope.get("msg"), envelope.get("message"), *others)
    text = next((each for each in texts if isinstance(each, str) and each.strip()), None)
    return tidy(str(shown) if text is None else f"{shown}: {text}", secrets)


def _answer(
    status: int, envelope: Mapping[str, object], said: str, secrets: Sequence[str]
) -> Answer | NoAnswer:
    """The balances. Success is HTTP 200 with the integer 0 as code, and nothing else."""
    code = envelope.get("code")
    if status != 200 or isinstance(code, bool) or not isinstance(code, int) or code != 0:
        misplaced = status in MISPLACED or str(code) in _MISPLACED_CODES
        remedy = "check rest_url" if misplaced else f"asking again; {UNKNOWN}"
        return NoAnswer(
            MissReason.BAD_ANSWER,
            f"CoinW answered without balances (HTTP {status}, {said}): {remedy}",
        )
    try:
        return _balances(_entry(envelope), secrets)
    except MalformedError as why:
        return NoAnswer(MissReason.BAD_ANSWER, f"CoinW's answer cannot be used: {why}")


def _entry(envelope: Mapping[str, object]) -> Mapping[str, object]:
    """The account's object, alone or in a list of one; both are documented."""
    data = envelope.get("data")
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, dict):
        raise MalformedError("data is neither an object nor a list of one")
    return data


def _balances(entry: Mapping[str, object], secrets: Sequence[str]) -> Answer:
    """Take the values that are present (SEMANTICS B3a).

    A value that is null, absent or empty is unknown and listed as missing.
    """
    fields = amounts(entry, _FIELDS, secrets)
    user, time = entry.get("userId"), entry.get("time")
    exchange_at = _instant(time)
    known = {*_FIELDS, "userId"} | (
        {"time"} if exchange_at is not None or is_blank(time) else set()
    )
    extra = {
        tidy(key, secrets): storable_value(value, secrets)
        for key, value in entry.items()
        if key not in known
    }
    expected = {name: ours for name, ours in (_FIELDS | _LABELS).items() if name != _OPTIONAL}
    missing = tuple(ours for name, ours in expected.items() if is_blank(entry.get(name)))
    user_id = "" if is_blank(user) else parse_user_id(user, secrets)
    return Answer(user_id, exchange_at, Balances(**fields), extra, missing=missing)


def _instant(value: object) -> Millis | None:
    """The exchange's time in ms; None if unusable, as balances need no time."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18:
        value = int(value)
    usable = isinstance(value, int) and _FIRST_INSTANT <= value < _LAST_INSTANT
    return value if usable and isinstance(value, int) else None


def problems(account: ExchangeAccount) -> list[Problem]:
    """Problems of an account's keys that need no call to find; never quotes a secret."""
    found = [
        (key, "is empty or holds a space or a character beyond ASCII: copy it again")
        for key, value in (("api_key", account.api_key), ("secret_key", account.secret_key))
        if not value or " " in value or not (value.isascii() and value.isprintable())
    ]
    rest = addresses.problem(account.rest_url, "https")
    ws = addresses.problem(account.ws_url, "wss") if account.ws_url else None
    return found + [(key, said) for key, said in (("rest_url", rest), ("ws_url", ws)) if said]


class CoinW:
    """One account at CoinW."""

    def __init__(self, account: ExchangeAccount, dependencies: ExchangeDependencies) -> None:
        self._account = account
        self._dependencies = dependencies
        keys = (account.secret_key, account.api_key)
        self._secrets = (*Redactor(keys).forms, *keys)
        self._skew = Skew()

    @property
    def user_id(self) -> str:
        """User id of the key: configured, or learned from the first answer; "" until then."""
        return self._account.user_id

    async def read(self, *, urgent: bool = False) -> Answer | NoAnswer:
        """Make one signed call once the budget allows it.

        An `urgent` call (a confirming read) goes before routine polls.
        """
        async with self._dependencies.budget.call("assets", self.user_id, urgent=urgent) as place:
            answer = await self._ask()
            if isinstance(answer, Answer) and answer.user_id and not self.user_id:
                self._account = replace(self._account, user_id=answer.user_id)
                place.user = answer.user_id
        if isinstance(answer, NoAnswer):
            if answer.reason is MissReason.RATE_LIMITED:
                self._dependencies.budget.halve()
            return answer
        return self._of_this_user(answer)

    async def _ask(self) -> Answer | NoAnswer:
        # Imported here: they load aiohttp, which checking keys does not need.
        from daemon.exchanges.common import http, proxies  # noqa: PLC0415

        account, clock = self._account, self._dependencies.clock
        sent, began = clock.now(), clock.elapsed()
        timestamp = str(sent + self._skew.correction)
        signed = sign(account.secret_key, timestamp, "GET", ASSETS)
        headers = {"sign": signed, "api_key": account.api_key, "timestamp": timestamp}
        url = account.rest_url.rstrip("/") + ASSETS
        secrets = (*self._secrets, signed, *proxies.secrets(account.rest_route))
        page = await http.get(
            self._dependencies.session, url, headers, account.timeout, secrets, account.rest_route
        )
        if isinstance(page, NoAnswer):
            return page
        answer = parse(page, secrets)
        time = answer.exchange_at if isinstance(answer, Answer) else None
        self._skew = self._skew.seen(bounds(sent, sent + clock.elapsed() - began, page.date, time))
        if isinstance(answer, NoAnswer):
            return self._beside_the_clock(answer)
        return replace(answer, asked_at=began)

    def _beside_the_clock(self, answer: NoAnswer) -> NoAnswer:
        """Mention the clock skew in a refused signature, because the time is part of it."""
        ahead = self._skew.correction
        if answer.reason is not MissReason.AUTH or not ahead:
            return answer
        by = (
            f"{duration_text(abs(ahead) // SECOND * SECOND)}"
            f" {'behind' if ahead > 0 else 'ahead of'}"
        )
        said = (
            f"{answer.detail}; this machine's clock is {by} CoinW's, which is corrected from the"
            " next call on"
        )
        return replace(answer, detail=said)

    def _of_this_user(self, answer: Answer) -> Answer | NoAnswer:
        """Check that the answer is of this account's user (SEMANTICS B4).

        An answer without a user counts as the account's own once its user is known.
        """
        mine, theirs = self.user_id, answer.user_id
        if not (mine or theirs):
            said = (
                "CoinW's answer cannot be used: userId is missing, and the account's user is not"
                " known yet"
            )
            return NoAnswer(MissReason.BAD_ANSWER, f"{said}: asking again")
        if mine == theirs or not theirs:
            return replace(answer, user_id=mine)
        said = (
            f'the key of "{self._account.name}" belongs to user {theirs}, but the account is user'
            f" {mine}"
        )
        return NoAnswer(
            MissReason.WRONG_USER,
            f'{said}: if you changed the key on purpose, set user_id = "{theirs}"',
        )

    async def close(self) -> None:
        """Do nothing: the session is shared."""


def connect(account: ExchangeAccount, dependencies: ExchangeDependencies) -> CoinW:
    return CoinW(account, dependencies)


def stream_protocol(account: ExchangeAccount) -> Frames:
    return frames(account)
