"""What is to be told is taken to people, channel by channel, until it is told."""
