"""A made-up record whose truth is known: on it one sees what an estimator finds, and what not."""

from capelib.twin.draw import drawn
from capelib.twin.record import lists, simulate
from capelib.twin.truth import Truth, hosts

__all__ = ["Truth", "drawn", "hosts", "lists", "simulate"]
