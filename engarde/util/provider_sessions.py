"""The settings of the PostgreSQL provider's sessions: libpq and lib/pq both read PGOPTIONS."""

from engarde.util.terminal import put
from engarde.util.timeouts import seconds

SETTINGS = {
    # Otherwise a role that may make functions in `public` could choose what the provider, as the admin, runs.
    "search_path": "pg_catalog,pg_temp",
    # The locks of a client that is gone are released within a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

LIMITS = {"lock_timeout": "pulumi.lock", "statement_timeout": "pulumi.statement"}


def pgoptions() -> dict[str, str]:
    """The variable, in place of the user's own; other sessions of the admin's role do not change.

    :raises ConfigError: the environment sets a limit that does not exist.
    """
    limits = {name: f"{round(1000 * seconds(limit))}ms" for name, limit in LIMITS.items()}
    return {"PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in {**SETTINGS, **limits}.items())}


if __name__ == "__main__":
    put(pgoptions()["PGOPTIONS"])
