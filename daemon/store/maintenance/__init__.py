"""Work on the database as a whole: copies, their way back, sizes. Never part of a reading's way."""
