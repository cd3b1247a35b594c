"""Notifications to systemd (sd_notify): ready, reloading, stopping. One datagram, no dependency.

Sending never fails the daemon: outside systemd, or without its socket, nothing happens. Protocol:
sd_notify(3).
"""

import socket
from collections.abc import Mapping

from daemon.types import Millis

READY = "READY=1"
STOPPING = "STOPPING=1"
FAILING = "failed: "


def ready(status: str) -> str:
    """The state "ready again", with a sentence that `systemctl status` shows."""
    return f"{READY}\nSTATUS={status}"


def failing(problem: str) -> str:
    """The reason why the daemon is about to end, as one line.

    systemd keeps and shows it, and `last-words` reads it from there.
    """
    return f"STATUS={FAILING}{problem.partition(chr(10))[0]}"


def reloading(awake: Millis) -> str:
    """The state "reloading". `awake` is CLOCK_MONOTONIC, rounded up: not before the request."""
    return f"RELOADING=1\nMONOTONIC_USEC={(awake + 1) * 1_000}"


def notify(environ: Mapping[str, str], state: str) -> bool:
    """Send `state` (lines of `KEY=value`) to the service manager; whether one received it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # the abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT, address)
    except OSError:
        return False
    return True
