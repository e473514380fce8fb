"""A service's way out into a database of its own, and back."""
