"""Stands for the service onside."""
