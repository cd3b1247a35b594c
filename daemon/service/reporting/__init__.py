"""Reports, when they are due."""
