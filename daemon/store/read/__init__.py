"""Queries of readers."""
