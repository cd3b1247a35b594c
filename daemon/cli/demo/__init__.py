"""`marginwatch demo`: the whole daemon at work, on the built-in exchange."""
