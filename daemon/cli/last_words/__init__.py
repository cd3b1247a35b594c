"""`marginwatch last-words`: tells every channel that the daemon is down."""
