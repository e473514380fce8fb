"""Runs each service's own migrations, in its schema and as its role."""
