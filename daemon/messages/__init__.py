"""What a report says: how a span went, in; a message, out. Pure."""
