"""What libraries take from the environment of the process, so that all of them do the same.

OpenSSL (the exchange, mail) and requests (all other channels, the heartbeat) each have a variable for the authorities
to be trusted, and nothing else reaches them through Apprise. So `ca_file` is handed to both in the environment.
"""

import os
from collections.abc import MutableMapping

AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

_LEAKS = "SSLKEYLOGFILE"
"""Names a file for the keys of all connections, by which whoever recorded them can read our secrets (promise 9)."""

_LOGINS = "NETRC"
"""Names a file of logins, by default ~/.netrc, which requests would send in the place of a channel's own token."""


def isolate(environ: MutableMapping[str, str]) -> None:
    """Take from libraries what lets out secrets, or lets in those of others."""
    environ.pop(_LEAKS, None)
    environ[_LOGINS] = os.devnull


class Authorities:
    """The authorities that the process trusts. Not for several threads."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._before = {name: environ.get(name) for name in AUTHORITIES}

    def trust(self, ca_file: str) -> None:
        """Trust those in this file; where it is empty, those that the environment named when the process began."""
        for name, before in self._before.items():
            wanted = ca_file or before
            if wanted == self._environ.get(name):
                continue
            if wanted is None:
                del self._environ[name]
            else:
                self._environ[name] = wanted
