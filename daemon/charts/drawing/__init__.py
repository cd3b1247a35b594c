"""Draws charts with matplotlib, which only these modules import, in the render process only."""
