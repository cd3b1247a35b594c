"""Routes: an address is called directly, or through a proxy."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Route:
    """Route to one address; the default is direct."""

    proxy: str = field(default="", repr=False)
    """Address of the proxy, with user and password; empty means no proxy."""
    unused: str = ""
    """Environment variable that names a proxy which is not used for this address."""


DIRECT = Route()
