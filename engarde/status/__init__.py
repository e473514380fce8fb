"""What every service takes of the server: its size, sessions, statements, and what maintenance has left to do."""
