"""What readers ask of the database."""
