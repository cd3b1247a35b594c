"""What libraries take from the environment: one file of authorities, no logins of others, no keys
written down.
"""

import os

from daemon.cli.libraries import AUTHORITIES, Authorities, isolate


def test_a3_one_file_for_openssl_and_requests() -> None:
    """A3: also after a reload names another one; without one both go by what they were given at
    first.
    """
    environ = {"SSL_CERT_FILE": "/given.pem", "HOME": "/"}
    authorities, seen = Authorities(environ), []
    for ca_file in ("", "/a.pem", "/b.pem", ""):
        authorities.trust(ca_file)
        seen.append([environ.get(name) for name in AUTHORITIES])
    assert seen == [["/given.pem", None], ["/a.pem"] * 2, ["/b.pem"] * 2, ["/given.pem", None]]


def test_promise_9_no_keys_written_down_and_no_logins_of_others() -> None:
    """Promise 9: what was said could be read by whoever finds the keys; requests would send what
    ~/.netrc holds.
    """
    environ = {"SSLKEYLOGFILE": "/keys", "HOME": "/home/me"}
    isolate(environ)
    assert environ == {"HOME": "/home/me", "NETRC": os.devnull}
