"""Cleaning: a table as read in; incidents, exiles and sources by the codebook out, every change logged."""
