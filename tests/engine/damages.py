"""What can be changed by hand in a stack that is up."""

from dataclasses import dataclass
from typing import Any

from tests.engine.admins import BACKEND


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing done by hand, where the engine sees it, and a question whose answer is true in an undamaged stack."""

    by_hand: str
    seen_in: str
    holds: str
    for_superuser: bool = False
    """Only a superuser can see it, or undo it."""


def has(role: str, kind: str, what: str, right: str) -> str:
    return f"SELECT has_{kind}_privilege('{role}', '{what}', '{right}')"


def lacks(role: str, kind: str, what: str, right: str) -> str:
    return f"SELECT NOT has_{kind}_privilege('{role}', '{what}', '{right}')"


def is_set(role: str, setting: str) -> str:
    return f"SELECT '{setting}' = ANY (rolconfig) FROM pg_roles WHERE rolname = '{role}'"


STACK: dict[str, Any] = {
    "services": {
        "madansara": {
            "statementTimeout": 9000,
            "reads": ["public.users", {"table": "public.brands", "columns": ["id"]}],
        },
        "sankore": {"reads": ["onside.things"]},
        "onside": None,
        "langflow": None,
    },
    "existingSchemas": {"public": None},
    "analytics": {},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
DAMAGES = {
    "limit": Damage(
        "ALTER ROLE madansara_user CONNECTION LIMIT 99",
        "madansara-role",
        "SELECT rolconnlimit = 10 FROM pg_roles WHERE rolname = 'madansara_user'",
    ),
    "search path": Damage(
        "ALTER ROLE sankore_user RESET search_path",
        "sankore-role",
        is_set("sankore_user", "search_path=sankore, public"),
    ),
    "statement timeout": Damage(
        "ALTER ROLE analytics_readonly RESET statement_timeout",
        "analytics-role",
        is_set("analytics_readonly", "statement_timeout=300000"),
    ),
    "idle timeout": Damage(
        "ALTER ROLE analytics_readonly SET idle_in_transaction_session_timeout = 0",
        "analytics-role",
        is_set("analytics_readonly", "idle_in_transaction_session_timeout=60000"),
    ),
    "attribute": Damage(
        "ALTER ROLE langflow_user CREATEDB",
        "langflow-role",
        "SELECT NOT rolcreatedb FROM pg_roles WHERE rolname = 'langflow_user'",
    ),
    "membership": Damage(
        "GRANT sankore_user TO langflow_user",
        "langflow-role",
        "SELECT NOT pg_has_role('langflow_user', 'sankore_user', 'MEMBER')",
        # From PostgreSQL 16 on a membership is its grantor's to take away.
        for_superuser=True,
    ),
    "connect": Damage(
        "REVOKE CONNECT ON DATABASE railway FROM madansara_user",
        "madansara-connect",
        "SELECT count(*) = 1 FROM pg_database, aclexplode(datacl) WHERE datname = 'railway'"
        " AND grantee = 'madansara_user'::regrole AND privilege_type = 'CONNECT'",
    ),
    "usage for analytics": Damage(
        "REVOKE USAGE ON SCHEMA onside FROM analytics_readonly",
        "analytics-usage-onside",
        has("analytics_readonly", "schema", "onside", "USAGE"),
    ),
    "usage for a service": Damage(
        "REVOKE USAGE ON SCHEMA onside FROM sankore_user",
        "sankore-usage-onside",
        has("sankore_user", "schema", "onside", "USAGE"),
    ),
    "create for analytics": Damage(
        "GRANT CREATE ON SCHEMA madansara TO analytics_readonly",
        "analytics-usage-madansara",
        lacks("analytics_readonly", "schema", "madansara", "CREATE"),
    ),
    "declared read": Damage(
        "REVOKE SELECT ON public.users FROM madansara_user",
        "madansara-reads-public.users",
        has("madansara_user", "table", "public.users", "SELECT"),
    ),
    "declared column": Damage(
        "REVOKE SELECT (id) ON public.brands FROM madansara_user",
        "madansara-reads-public.brands",
        "SELECT has_column_privilege('madansara_user', 'public.brands', 'id', 'SELECT')",
    ),
    "write on a declared read": Damage(
        "GRANT INSERT ON onside.things TO sankore_user",
        "sankore-reads-onside.things",
        lacks("sankore_user", "table", "onside.things", "INSERT"),
    ),
    "table of analytics": Damage(
        "REVOKE SELECT ON onside.things FROM analytics_readonly",
        "analytics-tables-onside",
        has("analytics_readonly", "table", "onside.things", "SELECT"),
    ),
    "write of analytics": Damage(
        "GRANT DELETE ON public.brand_users TO analytics_readonly",
        "analytics-tables-public",
        lacks("analytics_readonly", "table", "public.brand_users", "DELETE"),
    ),
    "sequence of analytics": Damage(
        "REVOKE SELECT ON SEQUENCE onside.things_id_seq FROM analytics_readonly",
        "analytics-sequences-onside",
        has("analytics_readonly", "sequence", "onside.things_id_seq", "SELECT"),
    ),
    "future tables": Damage(
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside"
        " REVOKE SELECT ON TABLES FROM analytics_readonly",
        "analytics-future-tables-onside-onside_user",
        "SELECT count(*) = 1 FROM pg_default_acl d, aclexplode(defaclacl) WHERE defaclobjtype = 'r'"
        " AND defaclrole = 'onside_user'::regrole AND grantee = 'analytics_readonly'::regrole",
    ),
    "password": Damage(
        "ALTER ROLE onside_user PASSWORD 'by hand'",
        "onside-role",
        "SELECT rolpassword = '{verifier}' FROM pg_authid WHERE rolname = 'onside_user'",
        for_superuser=True,
    ),
    "schema's owner": Damage(
        "ALTER SCHEMA sankore OWNER TO postgres",
        "sankore-schema",
        "SELECT nspowner = 'sankore_user'::regrole FROM pg_namespace WHERE nspname = 'sankore'",
        for_superuser=True,
    ),
    "dropped schema": Damage(
        "DROP SCHEMA langflow", "langflow-schema", "SELECT to_regnamespace('langflow') IS NOT NULL"
    ),
    "reader of a dropped schema": Damage(
        "SELECT", "analytics-usage-langflow", "SELECT has_schema_privilege('analytics_readonly', 'langflow', 'USAGE')"
    ),
    "public's create": Damage(
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "database-public-usage-public",
        lacks("langflow_user", "schema", "public", "CREATE"),
    ),
    "public's connect": Damage(
        "GRANT CONNECT ON DATABASE railway TO PUBLIC",
        "database-public-connect",
        lacks("pg_monitor", "database", "railway", "CONNECT"),
    ),
    "outside role": Damage(
        f"REVOKE CREATE ON SCHEMA public FROM {BACKEND}",
        f"outside-{BACKEND}-usage-public",
        "SELECT count(*) = 1 FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'public'"
        f" AND grantee = '{BACKEND}'::regrole AND privilege_type = 'CREATE'",
    ),
}
BY_ANYBODY = [name for name, damage in DAMAGES.items() if not damage.for_superuser]
BY_SUPERUSER = [name for name, damage in DAMAGES.items() if damage.for_superuser]
