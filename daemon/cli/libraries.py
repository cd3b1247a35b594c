"""Environment variables that libraries read, set so that all libraries behave alike.

OpenSSL (the exchange, mail) and requests (other channels, the heartbeat) each read a variable that
names trusted certificates. Apprise offers no other way, so both variables carry `ca_file`.
"""

import os
from collections.abc import MutableMapping

AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

_LEAKS = "SSLKEYLOGFILE"
"""A file for the keys of all connections: with it a recorded connection can be decrypted."""

_LOGINS = "NETRC"
"""A file of logins (~/.netrc), which requests would send instead of a channel's own token."""


def isolate(environ: MutableMapping[str, str]) -> None:
    """Disable the variables that let secrets out, or let other logins in."""
    environ.pop(_LEAKS, None)
    environ[_LOGINS] = os.devnull


class Authorities:
    """The certificate authorities that the process trusts. Not thread-safe."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._before = {name: environ.get(name) for name in AUTHORITIES}

    def trust(self, ca_file: str) -> None:
        """Trust those in this file; if empty, those that the environment named at the start."""
        for name, before in self._before.items():
            wanted = ca_file or before
            if wanted == self._environ.get(name):
                continue
            if wanted is None:
                del self._environ[name]
            else:
                self._environ[name] = wanted
