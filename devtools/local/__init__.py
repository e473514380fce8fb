"""The make targets: a virtual environment, a server and the stack `local` on this very machine."""
