"""Cleaning: a table as it was read in, incidents, exiles and sources by the codebook out, with nothing lost or changed silently."""

from capelib.clean.table import Clean, clean

__all__ = ["Clean", "clean"]
