"""Charts of recorded readings: selected, down-sampled and rendered in their own process."""
