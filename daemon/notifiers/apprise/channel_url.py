"""Text of a channel URL: its service, and parts that a parser would cut off. Pure.

`daemon.text.url_secrets` finds the secrets of a URL.
"""

import re
from urllib.parse import unquote

_WITH_PORT = re.compile(r"[^:]*(:[0-9]+)?|\[[^\]]*\](:[0-9]+)?")
_FRAGMENT = re.compile(r"[^/]#")
"""A # that Apprise keeps: only at the start of a path part, as in slack://…/#general."""


def scheme(url: str) -> str:
    """The service that a URL names (`tgram`); "" when it names none or an invalid one."""
    found = re.match(r"\s*([A-Za-z][A-Za-z0-9.+-]{0,15})://", url)
    return found.group(1).lower() if found else ""


def are_several(url: str) -> bool:
    """Whether a text holds several URLs, as Apprise splits it."""
    return re.search(r"(?<![\s,;])[\s,;]++[A-Za-z][A-Za-z0-9+]*://", url.strip()) is not None


def misread(url: str, *, login: bool) -> str:
    """One sentence about a part of a URL that its parser would cut off; "" if none.

    `login` says that the service takes USER:PASSWORD@HOST. Of that Apprise reads up to the second
    `:` or `@` and drops the rest.
    """
    rest = url.strip().partition("://")[2]
    before_query, _, query = rest.partition("?")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user_part, at, host_part = authority.rpartition("@")
    if login and (
        "@" in user_part
        or user_part.count(":") > 1
        or (at and not host_part)
        or (not at and "@" in rest and _WITH_PORT.fullmatch(host_part) is None)
        or "\ufffd" in unquote(user_part)
    ):
        return (
            "the user or the password in this URL holds a character at which it would be cut; put"
            " it into a file and write {file:PATH} in its place, or write @ as %40, : as %3A, / as"
            " %2F, ? as %3F, # as %23, % as %25"
        )
    if _FRAGMENT.search(before_query):
        return (
            "this URL would be cut at its #; write it as %23, or put the token into a file and"
            " write {file:PATH}"
        )
    items = [item.partition("=") for item in re.split("[&;]", query) if item]
    if any("@" in key or not equals for key, equals, _ in items):
        return (
            "what follows ? in this URL is no list of NAME=VALUE; where one of these signs belongs"
            " to a password or token, write ? as %3F, & as %26, ; as %3B"
        )
    return ""
