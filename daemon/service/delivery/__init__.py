"""Delivery of messages to people, channel by channel, until each has arrived."""
