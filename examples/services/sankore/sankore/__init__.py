"""Stands for the service sankore."""
