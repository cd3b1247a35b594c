"""Commands that list or draw what is recorded: history, gaps, alerts, notifications, plot."""
