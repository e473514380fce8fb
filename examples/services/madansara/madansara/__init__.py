"""Stands for the service madansara."""
