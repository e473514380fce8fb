"""Delivers URLs to services on Railway, and finds services that have credentials of others."""
