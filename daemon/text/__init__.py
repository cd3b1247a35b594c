"""How text is written: for terminals, logs and messages. Pure."""
