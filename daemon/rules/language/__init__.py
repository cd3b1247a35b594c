"""From the text of a condition to its checked tree. Pure."""
