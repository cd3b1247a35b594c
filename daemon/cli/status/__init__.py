"""`marginwatch status`: the state of the daemon, the accounts and the channels."""
