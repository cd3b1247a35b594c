"""The database itself: files, engine, lock, migrations, failures."""
