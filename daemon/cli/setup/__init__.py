"""`marginwatch init`: asks questions and writes rules.toml."""
