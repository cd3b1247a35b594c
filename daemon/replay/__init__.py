"""Runs recorded inputs through the live functions: backtest, verify, explain, test cases. Pure."""
