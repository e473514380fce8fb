"""What can go wrong on the way to an engine."""


class ToolchainError(Exception):
    """One message for the user: what, where, what next."""


class EngineMissing(ToolchainError):
    """No engine has been found or made yet, or what was found has changed since."""
