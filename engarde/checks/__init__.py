"""What is asked of a stack and its servers, and what heals it, for whichever command prints it."""
