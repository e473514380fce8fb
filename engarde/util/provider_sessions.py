"""What the provider's sessions start with, whichever plugin serves: libpq and lib/pq both read PGOPTIONS."""

from engarde.util.terminal import put
from engarde.util.timeouts import seconds

SETTINGS = {
    # Whoever may make a function in `public` would else choose what runs when the admin's provider calls one.
    "search_path": "pg_catalog,pg_temp",
    # A client that is gone for good lets go of its locks within a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

LIMITS = {"lock_timeout": "pulumi.lock", "statement_timeout": "pulumi.statement"}


def pgoptions() -> dict[str, str]:
    """The variable that takes the place of the user's own, and changes no other session of the admin's role.

    :raises ConfigError: the environment names another limit that is none.
    """
    limits = {name: f"{round(1000 * seconds(limit))}ms" for name, limit in LIMITS.items()}
    return {"PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in {**SETTINGS, **limits}.items())}


if __name__ == "__main__":
    put(pgoptions()["PGOPTIONS"])
