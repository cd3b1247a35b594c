"""From the text of rules.toml to checked values, each mistake with its place."""
