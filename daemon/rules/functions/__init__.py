"""One file per function of the rule language, found by its name."""
