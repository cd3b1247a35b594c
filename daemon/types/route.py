"""How an address is called: directly, or through a proxy."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Route:
    """The way to one address; the default is the direct one."""

    proxy: str = field(default="", repr=False)
    """Address of the proxy, with its user and password; empty is no proxy."""
    unused: str = ""
    """The environment variable that names a proxy, where the address is called directly."""


DIRECT = Route()
