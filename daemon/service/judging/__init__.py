"""What is read is judged and committed, in order, by the one owner of each account."""
