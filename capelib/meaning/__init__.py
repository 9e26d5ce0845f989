"""What a cell means: states, codes, yes and no, dates."""
