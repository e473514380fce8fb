"""Services' Alembic projects, read as text: nothing of a service is imported or run."""
