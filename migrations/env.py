"""How alembic reaches the database: through the connection, and in the transaction, that the caller
holds.

It makes no connection of its own and reads no settings; `daemon.store.database.migrate` runs it.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], transaction_per_migration=False
)
with context.begin_transaction():
    context.run_migrations()
