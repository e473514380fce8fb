"""Preconditions of `pulumi up`, checked before it changes anything."""
