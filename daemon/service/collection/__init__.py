"""Reading and listening to the accounts, by one budget."""
