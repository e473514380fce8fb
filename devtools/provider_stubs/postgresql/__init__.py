"""The stand-in for the official plugin `postgresql`."""
