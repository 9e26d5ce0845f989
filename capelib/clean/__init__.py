"""Cleaning: a table as read in; incidents, exiles and sources out, every change logged."""
