"""Plugins that serve where the official ones cannot be had: same ids, properties and statements, local stacks only."""
