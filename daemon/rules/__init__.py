"""The rule language: parse, compile, windows, functions. Pure."""
