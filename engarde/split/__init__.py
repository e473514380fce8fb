"""Moves a service into a database of its own, and back."""
