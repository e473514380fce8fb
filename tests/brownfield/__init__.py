"""The database that is already there: one PostgreSQL that was set up by hand, and in use."""
