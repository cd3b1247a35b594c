"""Environment variables that libraries read: set here, so that all libraries do the same.

OpenSSL (the exchange, mail) and requests (other channels, the heartbeat) each read a variable that
names trusted certificates. Apprise offers no other way to them, so `ca_file` is passed by both.
"""

import os
from collections.abc import MutableMapping

AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

_LEAKS = "SSLKEYLOGFILE"
"""Names a file for the keys of all connections: they would open a recording of our secrets."""

_LOGINS = "NETRC"
"""Names a file of logins (~/.netrc), which requests would send instead of a channel's own token."""


def isolate(environ: MutableMapping[str, str]) -> None:
    """Remove the variables that let secrets out, or let logins of others in."""
    environ.pop(_LEAKS, None)
    environ[_LOGINS] = os.devnull


class Authorities:
    """The authorities that the process trusts. Not for several threads."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._before = {name: environ.get(name) for name in AUTHORITIES}

    def trust(self, ca_file: str) -> None:
        """Trust those in this file; without one, those that the environment named at the start."""
        for name, before in self._before.items():
            wanted = ca_file or before
            if wanted == self._environ.get(name):
                continue
            if wanted is None:
                del self._environ[name]
            else:
                self._environ[name] = wanted
