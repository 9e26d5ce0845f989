"""THINK: pure functions, frame in, frame out, no plotting."""
