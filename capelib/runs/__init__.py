"""OUT: which notebook with which parameters, and what came of it."""
