"""The provider stub for the official plugin `postgresql`."""
