"""Text for terminals, logs and messages: numbers, durations, names, safe characters. Pure."""
