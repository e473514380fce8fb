"""Services' Alembic projects: read as text; only what is to be written is tried, by the service's own Alembic."""
