"""The checks of a stack and its servers, and the fixes of what they find, for every command that prints them."""
