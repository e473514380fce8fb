"""Whether the database is exactly as declared, and isolation holds."""
