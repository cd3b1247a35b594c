"""Readings: fields, derived fields, plausibility and gaps. Pure."""
