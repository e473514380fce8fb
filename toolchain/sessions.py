"""What the provider's sessions start with, whichever plugin serves: libpq and lib/pq both read PGOPTIONS."""

SETTINGS = {
    # Whoever may make a function in `public` would else choose what runs when the admin's provider calls one.
    "search_path": "pg_catalog,pg_temp",
    "lock_timeout": "60s",
    "statement_timeout": "10min",
    # A client that is gone for good lets go of its locks within a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

PGOPTIONS = {"PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())}
"""Takes the place of the user's own, and changes no other session of the admin's role."""

if __name__ == "__main__":
    print(PGOPTIONS["PGOPTIONS"])
