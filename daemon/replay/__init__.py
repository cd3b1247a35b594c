"""History through the same functions as the live daemon: backtest, verify, explain, test cases.
Pure.
"""
