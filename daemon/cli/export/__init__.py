"""`marginwatch export`: the record as csv or jsonl, for other programs and for other machines."""
