"""Messages: notifications and reports, as text and HTML. Pure."""
