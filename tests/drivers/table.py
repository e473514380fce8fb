"""Which driver takes which form, and what becomes of it in each mode of TLS and behind a transaction pooler."""

from dataclasses import dataclass, replace

from engarde.declaration.declared import SslMode, UrlFormat
from tests.drivers.runtimes import GO, JAVA, NODE, PYTHON, Runtime

MODES: tuple[SslMode | None, ...] = (None, "disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class Tls:
    """What a session is in each of the modes, in their order: `T` encrypted, `c` in clear, `-` refused."""

    without: str
    """on a server without TLS"""

    self_signed: str
    """on one whose certificate nobody vouches for, as Railway's"""


LIBPQ = Tls("cccc---", "TccTT--")
PG8000 = Tls("ccccccc", "TTTTTTT")
LIKE_LIBPQ = Tls("ccc----", "cccTT--")
VERIFYING = Tls("cc-----", "cc-----")
POSTGRES_JS = Tls("cc-c---", "ccTTT--")


@dataclass(frozen=True, slots=True)
class Driver:
    """One driver, the program that connects with it, and the forms that it takes as they are exported."""

    name: str
    runtime: Runtime
    program: str
    forms: tuple[UrlFormat, ...]
    packages: tuple[str, ...]
    """whose versions are those that were tried, as their registry names them"""

    pooler: str = ""
    """what the program sets behind a transaction pooler, so that no prepared statement is left on the server"""

    tls: Tls = LIBPQ


@dataclass(frozen=True, slots=True)
class Case:
    """A driver and one form."""

    driver: Driver
    form: UrlFormat

    def __str__(self) -> str:
        return f"{self.driver.name} {self.form}".replace(", ", "+").replace(" ", "-")


BOTH: tuple[UrlFormat, ...] = ("plain", "options")
THRESHOLD = "`prepare_threshold=None`"
CACHES = "both statement caches 0, names of its own"

ALEMBIC = Driver(
    "Alembic",
    PYTHON,
    "alembic",
    ("plain", "sqlalchemy+psycopg", "sqlalchemy+psycopg2"),
    ("alembic",),
)
NODE_POSTGRES = Driver("node-postgres", NODE, "pg", ("node-postgres",), ("pg",), tls=LIKE_LIBPQ)
DRIVERS = (
    Driver("psycopg", PYTHON, "psycopg", BOTH, ("psycopg",), THRESHOLD),
    Driver("psycopg2", PYTHON, "psycopg2", BOTH, ("psycopg2-binary",)),
    Driver("asyncpg", PYTHON, "asyncpg", BOTH, ("asyncpg",), "`statement_cache_size=0`"),
    Driver("SQLAlchemy, psycopg", PYTHON, "sqlalchemy", ("sqlalchemy+psycopg",), ("SQLAlchemy", "psycopg"), THRESHOLD),
    Driver("SQLAlchemy, psycopg2", PYTHON, "sqlalchemy", ("sqlalchemy+psycopg2",), ("SQLAlchemy", "psycopg2-binary")),
    Driver(
        "SQLAlchemy, asyncpg",
        PYTHON,
        "sqlalchemy_asyncpg",
        ("sqlalchemy+asyncpg",),
        ("SQLAlchemy", "asyncpg"),
        CACHES,
    ),
    Driver("SQLAlchemy, pg8000", PYTHON, "sqlalchemy", ("sqlalchemy+pg8000",), ("SQLAlchemy", "pg8000"), tls=PG8000),
    Driver("Django, dj-database-url", PYTHON, "django", BOTH, ("Django", "dj-database-url", "psycopg")),
    ALEMBIC,
    NODE_POSTGRES,
    Driver("postgres.js", NODE, "postgres", BOTH, ("postgres",), "`prepare: false`", POSTGRES_JS),
    Driver("pgjdbc", JAVA, "Connect", ("jdbc",), ("org.postgresql:postgresql",), "`prepareThreshold=0`"),
    Driver("pgx", GO, "main", BOTH, ("github.com/jackc/pgx/v5",), "`QueryExecModeExec`"),
)
NODE_POSTGRES_BY_ITSELF = replace(NODE_POSTGRES, forms=("plain",), tls=VERIFYING)
"""Without the form that is made for it."""
