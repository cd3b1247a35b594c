"""`marginwatch import`: readings from a CSV file."""
