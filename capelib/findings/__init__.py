"""JUDGE: the ledger of published numbers, and what another dataset says to the same question."""

from capelib.findings.ledger import Published, Verdict, Verdicts, compare, published

__all__ = ["Published", "Verdict", "Verdicts", "compare", "published"]
