"""How far every estimator holds: on made-up records whose truth is known."""
