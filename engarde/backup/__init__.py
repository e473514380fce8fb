"""Copies of one service's schema that prove themselves, and the way back."""
