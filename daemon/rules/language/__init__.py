"""Parses the text of a condition into a checked tree. Pure."""
