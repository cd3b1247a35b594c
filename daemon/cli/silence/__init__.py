"""`marginwatch silence` and `ack`: hold back notifications for a while."""
