"""Removes a service from its stack, with its data, its schema and its role."""
