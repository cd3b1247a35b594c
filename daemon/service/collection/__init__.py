"""Collection: polling and push streams of all accounts, within one call budget."""
