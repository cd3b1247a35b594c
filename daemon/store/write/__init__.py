"""What the writer changes in the database, and how."""
