"""Changes that the writer makes in the database."""
