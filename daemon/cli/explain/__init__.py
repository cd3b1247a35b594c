"""`marginwatch explain`: why a rule fired, or did not."""
