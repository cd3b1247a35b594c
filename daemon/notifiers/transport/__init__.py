"""Calls to receivers, bounded in time, bytes and threads."""
