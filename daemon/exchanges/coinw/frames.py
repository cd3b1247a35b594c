"""CoinW's push stream: the frames to send, and the meaning of its frames. Pure.

Facts are from its page "Subscribe Assets"
(https://www.coinw.com/api-doc/en/futures-trading/assets/subscribe-assets) and from maintained
clients. These disagree on the form of a login reply, so all forms are accepted. A push has no time
and no number, repeats each entry, and comes only after a change.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.exchanges import ExchangeAccount
from daemon.exchanges.common.responses import (
    PAUSING,
    MalformedError,
    amounts,
    decode_bytes,
    parse_user_id,
    storable_value,
    tidy,
)
from daemon.exchanges.common.stream_protocol import (
    Accepted,
    Ignored,
    Malformed,
    Pinged,
    Pong,
    Pushed,
    StreamEvent,
    Subscribed,
)
from daemon.redaction import Redactor
from daemon.types import Answer, Balances, MissReason, NoAnswer, Source

_MAPPED = {
    "availableMargin": "available_margin",
    "available": "available_usdt",
    "almightyGold": "almighty_gold",
    "margin": "al_margin",
    "freeze": "al_freeze",
}
_NO_TWIN = frozenset(
    {"profitUnreal", "size", "transferAvailable", "hold", "currency", "type", "userId"}
)
"""Keys of an entry without a counterpart in a REST answer."""

MOST_ENTRIES = 100
"""Most entries of a push; a normal one has two."""

_REASONS = {1001: MissReason.RATE_LIMITED, 1003: MissReason.AUTH}
_REMEDIES = {
    MissReason.AUTH: ("refused the login to its push stream", "check api_key and secret_key"),
    MissReason.RATE_LIMITED: ("says too many calls on its push stream", PAUSING),
    MissReason.BAD_ANSWER: ("refuses to push", "trying again"),
}


def _said(event: str, **params: str) -> str:
    return json.dumps({"event": event, "params": params} if params else {"event": event})


_PING = _said("ping")
"""Our ping, also sent as the answer to the exchange's ping.

Its pages do not describe such a ping; clients answer with either word. But to an unknown event it
sends `exception`, as it does when nothing more will be pushed.
"""


@dataclass(frozen=True, slots=True)
class Frames:
    """The stream protocol of one account."""

    login: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    subscribe: str = _said("sub", biz="futures", type="assets")
    ping: str = _PING

    def understand(self, text: str) -> StreamEvent:
        try:
            return self._understood(decode_bytes(text.encode(errors="surrogatepass")))
        except MalformedError as why:
            return Malformed(f"CoinW's push cannot be used: {tidy(str(why), self.secrets)}")

    def _understood(self, frame: Mapping[str, object]) -> StreamEvent:
        if _succeeded(frame) is False:
            return self._refusal(frame)
        if frame.get("type") == "assets" and "channel" not in frame:
            return self._pushed(frame.get("data"))
        return _reply(frame)

    def _refusal(self, frame: Mapping[str, object]) -> NoAnswer:
        told = {**frame, **data} if isinstance(data := frame.get("data"), dict) else frame
        code, text = told.get("errorCode"), told.get("errorMsg")
        about_login = "login" in (frame.get("channel"), frame.get("event"))
        reason = _REASONS.get(code) if isinstance(code, int) else None
        reason = reason or (MissReason.AUTH if about_login else MissReason.BAD_ANSWER)
        shown = [str(each) for each in (code, text) if isinstance(each, int | str) and each != ""]
        happened, remedy = _REMEDIES[reason]
        said = f" ({tidy(': '.join(shown), self.secrets)})" if shown else ""
        return NoAnswer(reason, f"CoinW {happened}{said}: {remedy}")

    def _pushed(self, data: object) -> StreamEvent:
        """The entries in USDT. Entries in other currencies belong to other accounts."""
        entries = data if isinstance(data, list) else [data]
        if len(entries) > MOST_ENTRIES:
            raise MalformedError(f"it has {len(entries)} entries")
        answers: list[Answer] = []
        for entry in entries:
            answer = self._entry(entry)
            if answer is not None and answer not in answers:
                answers.append(answer)
        return Pushed(tuple(answers)) if answers else Ignored()

    def _entry(self, entry: object) -> Answer | None:
        if not isinstance(entry, dict):
            raise MalformedError("an entry is no object")
        currency = entry.get("currency")
        if not isinstance(currency, str) or currency.lower() != "usdt":
            return None
        user_id = parse_user_id(entry.get("userId"), self.secrets)
        fields = amounts(entry, _MAPPED, self.secrets)
        known = _MAPPED.keys() | _NO_TWIN
        extra = {
            tidy(key, self.secrets): storable_value(value, self.secrets)
            for key, value in entry.items()
            if key not in known
        }
        missing = tuple(name for name in _MAPPED.values() if name not in fields)
        return Answer(user_id, None, Balances(**fields), extra, Source.WS, missing=missing)


def _reply(frame: Mapping[str, object]) -> StreamEvent:
    match frame:
        case {"channel": "login"} | {"event": "login"}:
            return Accepted()
        case {"channel": "subscribe", "type": "assets"}:
            return Subscribed()
        case {"event": "pong"}:
            return Pong()
        case {"event": "ping"}:
            return Pinged(_PING)
    return Ignored()


def _succeeded(frame: Mapping[str, object]) -> bool | None:
    """Result of a reply: `result` or `success`, in `data` or beside it; None if absent."""
    places = [place for place in (frame.get("data"), frame) if isinstance(place, dict)]
    told = (place.get(name) for place in places for name in ("result", "success"))
    return next((each for each in told if isinstance(each, bool)), None)


def frames(account: ExchangeAccount) -> Frames:
    """The protocol of an account. Its login frame holds the secret, protected by TLS alone."""
    keys = (account.secret_key, account.api_key)
    login = _said("login", api_key=account.api_key, passphrase=account.secret_key)
    return Frames(login, (*Redactor(keys).forms, *keys))
