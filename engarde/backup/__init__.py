"""Backs up one service's schema with a manifest that proves the copy, and restores it."""
