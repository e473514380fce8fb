"""Error texts as operators paste them, each with its right answer."""
