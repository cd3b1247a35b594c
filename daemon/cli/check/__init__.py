"""`marginwatch check`: the mistakes of rules.toml, the keys and the channels."""
