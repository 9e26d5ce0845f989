"""What words mean: the codebook, the tables that ship, states, dates."""
