"""Runs each service's own migrations, as its role and in its schema."""
