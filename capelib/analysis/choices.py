"""What an analysis can be asked for. Apart from the analyses, since parameters are checked by it before any of them is imported."""

UNITS = {
    "incident": "one measure against one exile",
    "exile": "persons with at least one incident in the year",
    "episode": "incidents, with three or more persons in one action counted once",
}
MODELS = {"poisson": "Poisson", "negative_binomial": "negative binomial"}
MARGIN = 4  # years that a break needs on each side; with 3 the test of no break fails too often (in 10 to 14 % of simulations, not 5)
