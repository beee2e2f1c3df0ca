"""Functions of the user's as models."""
