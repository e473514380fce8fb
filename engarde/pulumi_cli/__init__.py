"""Pulumi as a process: its commands, state, outputs and locks."""
