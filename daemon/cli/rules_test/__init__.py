"""`marginwatch rules test`: rules, tried with series that a file gives."""
