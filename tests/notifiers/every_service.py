"""Random URLs of every service that Apprise knows, as its plugins describe them."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from apprise.plugins import NotifyBase
from hypothesis import strategies as st

from daemon.notifiers.apprise import plugins

ELSEWHERE = frozenset({"aprs", "syslog"})
"""Services that call fixed places without HTTP: radio amateurs' server, this machine's log."""

_TOKEN = st.text(
    "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_", min_size=10, max_size=24
)
_ODD = st.text("abcXYZ0189 +%&;=:@/?#[]~!$'()*,\"\\<>|^`{}äß", min_size=8, max_size=16)
_PHONE = st.integers(10**10, 10**11 - 1).map(str)
_MAIL = st.integers(10**6, 10**7).map(lambda number: f"someone{number}@example.com")


def kinds() -> dict[str, type[NotifyBase]]:
    """Every usable service by its first scheme, without those that would call other machines."""
    found: dict[type[NotifyBase], str] = {}
    schemes: list[str] = sorted(plugins._SERVICES.schemas())
    for scheme in schemes:
        if not scheme[0].isalpha():
            continue
        found.setdefault(plugins._SERVICES[scheme], scheme)
    return {
        scheme: kind for kind, scheme in found.items() if kind.enabled and scheme not in ELSEWHERE
    }


@st.composite
def urls(draw: Callable[[Any], Any], kind: type[NotifyBase], scheme: str, place: str) -> str:
    """A URL of this service with random tokens; the receiver is at `place` (HOST:PORT)."""
    forms: Any = kind.templates
    form = str(draw(st.sampled_from(sorted(map(str, forms)))))
    host, _, port = place.partition(":")
    own = "{port}" in str(forms)

    def fill_in(found: re.Match[str]) -> str:
        name = found[1]
        if name == "schema":
            return scheme
        if name == "host":
            return (host if "{port}" in form else place) if own else "mail.example.com"
        if name == "port":
            return port
        return str(draw(_part(name, kind.template_tokens)))

    address: str = re.sub(r"\{(\w+)\}", fill_in, form)
    query: str = draw(_query(kind, scheme))
    return address + ("&" if query and "?" in address else "?" if query else "") + query


def _part(name: str, tokens: Mapping[str, Mapping[str, Any]]) -> st.SearchStrategy[str]:
    about = tokens.get(name, {})
    if str(about.get("type", "")).startswith("list"):
        members = [each for each in tokens if tokens[each].get("map_to") == name and each != name]
        return st.one_of(
            [_value(each, tokens[each]) for each in members] or [_PHONE, _MAIL, _TOKEN]
        )
    return _value(name, about)


def _value(name: str, about: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """One part, percent-encoded as `{env:NAME}` would be filled in."""
    return _raw(name, about).map(
        lambda text: quote(str(about.get("prefix", "")) + text, safe=_safe(text))
    )


def _safe(text: str) -> str:
    """The @ of a mail address stays, as people write it there."""
    return "@" if re.fullmatch(r"someone[0-9]+@example\.com", text) else ""


def _raw(name: str, about: Mapping[str, Any]) -> st.SearchStrategy[str]:
    kind = str(about.get("type", "string"))
    if kind.startswith("choice"):
        return st.sampled_from(list(map(str, about["values"])))
    if kind == "int":
        return st.integers(int(about.get("min", 1)), int(about.get("max", 10**6))).map(str)
    if "regex" in about:
        regex = about["regex"]
        pattern, flags = (regex, "") if isinstance(regex, str) else regex
        compiled = re.compile(pattern, re.IGNORECASE if flags and "i" in flags else 0)
        usual = next((each for each, example in _EXAMPLES if compiled.search(example)), None)
        return (
            st.from_regex(compiled, alphabet=_PRINTABLE).map(str.strip) if usual is None else usual
        )
    if kind == "email" or "mail" in name:
        return _MAIL
    if re.search("phone|source|from|sender|target", name):
        return st.one_of(_PHONE, _MAIL, _TOKEN)
    return st.one_of(_TOKEN, _ODD) if about.get("private") else _TOKEN


_PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)
_EXAMPLES = ((_PHONE, "12025550123"), (_TOKEN, "Ab3-_x7yzQ"), (_MAIL, "someone123456@example.com"))


@st.composite
def _query(draw: Callable[[Any], Any], kind: type[NotifyBase], scheme: str) -> str:
    """Parameters behind the ?: less safety, headers and parameters with tokens."""
    items = ["from=me@example.com", "to=you@example.com"] if scheme.startswith("mailto") else []
    items += [item for item in ("redirect=yes", "verify=no", "retry=2") if draw(st.booleans())]
    prefixes = {about.get("prefix") for about in kind.template_kwargs.values()}
    for prefix in sorted(str(each) for each in prefixes if each in {"+", "-", ":"}):
        if draw(st.booleans()):
            sign = quote(prefix, safe=":-")
            items.append(f"{sign if prefix != '+' else '+'}X-Tok={quote(draw(_TOKEN), safe='')}")
    return "&".join(items)
