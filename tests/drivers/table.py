"""Which driver takes which form, and what becomes of it in each mode of TLS and behind a transaction pooler."""

from dataclasses import dataclass, replace

from engarde.declaration.declared import SslMode, UrlFormat
from tests.drivers.runtimes import GO, JAVA, NODE, PYTHON, SQLALCHEMY_2_1, Runtime

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
    oldest: int = 13
    """the first major of PostgreSQL that it works with"""


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


def _sqlalchemy(version: str, runtime: Runtime, default: UrlFormat) -> tuple[Driver, ...]:
    """Its drivers; `default` names the one that it takes for a URL that names none."""
    drivers: tuple[tuple[UrlFormat, str, str, Tls], ...] = (
        ("sqlalchemy+psycopg", "psycopg", THRESHOLD, LIBPQ),
        ("sqlalchemy+psycopg2", "psycopg2-binary", "", LIBPQ),
        ("sqlalchemy+asyncpg", "asyncpg", CACHES, LIBPQ),
        ("sqlalchemy+pg8000", "pg8000", "", PG8000),
    )
    return tuple(
        Driver(
            f"SQLAlchemy {version}, {form.removeprefix('sqlalchemy+')}",
            runtime,
            "sqlalchemy_async" if form == "sqlalchemy+asyncpg" else "sqlalchemy",
            ("plain", form) if form == default else (form,),
            ("SQLAlchemy", package),
            pooler,
            tls,
        )
        for form, package, pooler, tls in drivers
    )


SQLALCHEMY = _sqlalchemy("2.0", PYTHON, "sqlalchemy+psycopg2")
NEWER_SQLALCHEMY = _sqlalchemy("2.1", SQLALCHEMY_2_1, "sqlalchemy+psycopg")
ALEMBIC = Driver(
    "Alembic, SQLAlchemy 2.0",
    PYTHON,
    "alembic",
    ("plain", "sqlalchemy+psycopg", "sqlalchemy+psycopg2"),
    ("alembic", "SQLAlchemy"),
)
NEWER_ALEMBIC = replace(ALEMBIC, name="Alembic, SQLAlchemy 2.1", runtime=SQLALCHEMY_2_1)
NODE_POSTGRES = Driver("node-postgres", NODE, "pg", ("node-postgres",), ("pg",), tls=LIKE_LIBPQ)
PRISMA = replace(
    NODE_POSTGRES, name="Prisma", program="prisma", forms=("prisma",), packages=("@prisma/client", "@prisma/adapter-pg")
)
DRIVERS = (
    Driver("psycopg", PYTHON, "psycopg", BOTH, ("psycopg",), THRESHOLD),
    Driver("psycopg2", PYTHON, "psycopg2", BOTH, ("psycopg2-binary",)),
    Driver("asyncpg", PYTHON, "asyncpg", BOTH, ("asyncpg",), "`statement_cache_size=0`"),
    *SQLALCHEMY,
    *NEWER_SQLALCHEMY,
    Driver("Django, dj-database-url", PYTHON, "django", BOTH, ("Django", "dj-database-url", "psycopg"), oldest=14),
    ALEMBIC,
    NEWER_ALEMBIC,
    NODE_POSTGRES,
    replace(NODE_POSTGRES, name="Sequelize", program="sequelize", packages=("sequelize", "pg")),
    replace(NODE_POSTGRES, name="TypeORM", program="typeorm", packages=("typeorm", "pg")),
    replace(NODE_POSTGRES, name="Drizzle", program="drizzle", packages=("drizzle-orm", "pg")),
    replace(NODE_POSTGRES, name="knex", program="knex", packages=("knex", "pg")),
    PRISMA,
    Driver("postgres.js", NODE, "postgres", BOTH, ("postgres",), "`prepare: false`", POSTGRES_JS),
    Driver("pgjdbc", JAVA, "Connect", ("jdbc",), ("org.postgresql:postgresql",), "`prepareThreshold=0`"),
    Driver("pgx", GO, "main", BOTH, ("github.com/jackc/pgx/v5",), "`QueryExecModeExec`"),
)
NODE_POSTGRES_BY_ITSELF = replace(NODE_POSTGRES, forms=("plain",), tls=VERIFYING)
"""Without the form that is made for it."""
