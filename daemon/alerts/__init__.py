"""The life of an alert: engine, dispatch, message. Pure."""
