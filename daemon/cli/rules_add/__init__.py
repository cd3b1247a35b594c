"""`marginwatch rules add` and `rules recipes`: ready rules for common needs."""
