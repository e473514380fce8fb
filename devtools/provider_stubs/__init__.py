"""Plugins in place of the official ones if these cannot be downloaded: same ids, properties and statements."""
