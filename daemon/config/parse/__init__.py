"""Parses the text of rules.toml into checked values, each mistake with its place."""
