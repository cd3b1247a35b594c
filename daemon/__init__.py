"""marginwatch: watches futures-account balances and wakes a person before it is too late."""

__version__ = "0.1.0"
