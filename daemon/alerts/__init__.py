"""Alerts: the engine, and the dispatch of notifications. Pure."""
