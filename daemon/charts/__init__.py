"""Charts of recorded readings: chosen, thinned out and drawn in a process of their own."""
