"""Judging: the one owner of each account evaluates its inputs in order and commits them."""
