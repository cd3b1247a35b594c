"""Checks of a whole configuration: references, contradictions, warnings."""
