"""The loops: account owner, poller, outbox."""
