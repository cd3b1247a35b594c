"""Output of commands: tables, lines, times, progress, and the terminal they are written to."""
