"""Stands for the service langflow."""
