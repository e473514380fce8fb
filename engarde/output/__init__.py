"""Findings, remedies, tables and JSON: the one way to print."""
