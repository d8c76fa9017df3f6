"""A small shop: what it keeps for good reason, beside what the scenarios leak."""
