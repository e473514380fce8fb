"""Delivers URLs to the services on Railway, and looks for those that still have more than their own."""
