"""What a reading is: its fields and derived fields. Pure."""
