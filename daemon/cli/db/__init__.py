"""`marginwatch db`: maintenance of the database."""
