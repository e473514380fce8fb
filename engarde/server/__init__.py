"""PostgreSQL: how it is reached, asked and read."""
