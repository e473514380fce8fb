"""How much of the server each service uses: size, sessions, statements, and what maintenance has to do."""
