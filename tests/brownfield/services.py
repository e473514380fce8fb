"""Who uses the database on day zero, and what each does there all the time."""

from dataclasses import dataclass
from typing import Any

from tests.engine.program import THE_ADMIN

ADMIN = "<the admin>"
"""Stands for the role that day zero was made with; the backend logs in as it, too."""


@dataclass(frozen=True, slots=True)
class Client:
    """One that holds sessions and opens new ones; where none of its work is given, it only holds them."""

    name: str
    """on Railway, where it runs there"""
    role: str
    work: str = ""
    """what its session does all the time; names of its own tables are not qualified, `%s` is the word of a row"""
    table: str = ""
    """where its rows go, wherever that is; none of a client that only reads"""
    looks: str = ""
    """what each new connection asks first"""
    path: str = ""
    """the `search_path` that its URL gives, as the guide has it"""
    variable: str = "DATABASE_URL"
    """which of its variables on Railway holds the URL; none of one that runs elsewhere"""
    idle: int = 0
    """how many sessions it holds beside the one that works"""


CLIENTS = (
    Client(
        "production-backend",
        ADMIN,
        "INSERT INTO audit_log (note) VALUES (%s)",
        "audit_log",
        "SELECT email FROM users JOIN brand_users ON user_id = id WHERE brand_id = 1",
    ),
    Client(
        "backend-worker", "backend_worker", "INSERT INTO jobs (note) VALUES (%s)", "jobs", "SELECT id FROM job_runs"
    ),
    Client(
        "madansara",
        "madansara_user",
        "INSERT INTO journeys (brand_id, note) VALUES (1, %s)",
        "journeys",
        "SELECT u.id, u.email, u.name FROM public.users u JOIN public.brand_users bu ON u.id = bu.user_id"
        " WHERE bu.brand_id = 1",
        "madansara,public",
    ),
    Client(
        "sankore",
        "sankore_user",
        "INSERT INTO ads (brand_id, note) VALUES (main_brand(1), %s)",
        "ads",
        "SELECT name FROM brands",
        "sankore,public",
    ),
    Client(
        "onside",
        "onside_user",
        "INSERT INTO leads (brand_id, status, note) VALUES (1, 'new', %s)",
        "leads",
        "SELECT value FROM onside_settings",
        "onside,public",
    ),
    Client(
        "langflow",
        "langflow_user",
        "INSERT INTO flow (note) VALUES (%s)",
        "flow",
        "SELECT value FROM variable",
        variable="LANGFLOW_DATABASE_URL",
        idle=14,
    ),
    Client(
        "workers",
        "workers_user",
        "INSERT INTO task_runs (note) VALUES (%s)",
        "task_runs",
        "SELECT id FROM jobs LIMIT 1",
        "workers,public",
    ),
    Client(
        "billing",
        "workers_user",
        "INSERT INTO charges (note) VALUES (%s)",
        "charges",
        "SELECT amount FROM invoices",
        "billing,public",
    ),
    Client(
        "metabase",
        "metabase",
        "SELECT id FROM madansara.journeys LIMIT 1",
        looks="SELECT name FROM public.brands",
        variable="MB_DB_CONNECTION_URI",
    ),
    Client(
        "legacy-etl",
        "legacy_etl",
        "SELECT id FROM sankore.ads LIMIT 1",
        looks="SELECT brand_id FROM sankore.ads LIMIT 1",
        variable="",
    ),
    Client(
        "support",
        "support_admin",
        "SELECT hint FROM api_keys",
        looks="SELECT email FROM users",
        variable="",
    ),
    Client("old-contractor", "old_contractor", variable="", idle=1),
)
"""Eleven at work, and one idle. `nightly` is none of them: it is never there when somebody looks."""

NAMED = {client.name: client for client in CLIENTS}

ADOPT_ONLY: dict[str, Any] = {
    "services": {name: {"adopt": True} for name in ("madansara", "sankore", "onside", "langflow")},
    "existingSchemas": {"public": {"service": "production-backend"}},
    "analytics": {"adopt": True},
}
"""The sections of a stack file by docs/adopting.md: the guide's roles are taken over, and nothing else is known."""

DECLARED: dict[str, Any] = {
    "services": {
        "madansara": {"adopt": True, "reads": ["public.users", "public.brand_users"]},
        "sankore": {"adopt": True, "statementTimeout": 30_000, "reads": ["public.brands"]},
        "onside": {"adopt": True},
        "langflow": {"adopt": True, "connectionLimit": 20},
        "workers": {"adopt": True, "role": "workers_user", "reads": ["public.jobs", "public.invoices"]},
        "billing": {"reads": ["public.invoices"]},
    },
    "existingSchemas": {"public": {"service": "production-backend", "creators": [THE_ADMIN, "backend_worker"]}},
    "analytics": {"adopt": True},
    "outsideRoles": {
        "backend_worker": {"schemas": {"public": ["USAGE", "CREATE"]}},
        **{name: {} for name in ("legacy_etl", "support_admin", "old_contractor", "nightly", "metabase")},
    },
}
"""All that is there, declared: who shares a role keeps it, or gets one of its own."""
