"""Environment of libraries: one file of authorities, no foreign logins, no key log."""

import os

from daemon.cli.libraries import AUTHORITIES, Authorities, isolate


def test_a3_one_file_for_openssl_and_requests() -> None:
    """A3: all libraries use the file, also after a reload; without one, the original setting."""
    environ = {"SSL_CERT_FILE": "/given.pem", "HOME": "/"}
    authorities, seen = Authorities(environ), []
    for ca_file in ("", "/a.pem", "/b.pem", ""):
        authorities.trust(ca_file)
        seen.append([environ.get(name) for name in AUTHORITIES])
    assert seen == [["/given.pem", None], ["/a.pem"] * 2, ["/b.pem"] * 2, ["/given.pem", None]]


def test_promise_9_no_keys_written_down_and_no_logins_of_others() -> None:
    """Promise 9: no key log, which would decrypt our traffic, and no logins of ~/.netrc."""
    environ = {"SSLKEYLOGFILE": "/keys", "HOME": "/home/me"}
    isolate(environ)
    assert environ == {"HOME": "/home/me", "NETRC": os.devnull}
