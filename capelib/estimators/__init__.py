"""Estimators: frames or arrays in, estimates with intervals out. They know no question."""
