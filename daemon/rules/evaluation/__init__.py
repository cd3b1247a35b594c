"""From a compiled rule and readings to a verdict. Pure."""
