"""WITH: what is known about the states: regimes, memberships, displaced people."""
