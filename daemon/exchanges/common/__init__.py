"""Parts that all exchanges share: HTTP, rate limit, penalties, streams."""
