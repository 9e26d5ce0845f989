"""Estimators: frames or arrays in, estimates with intervals out. None knows the codebook's questions."""
