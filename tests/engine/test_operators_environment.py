"""What a session of the tool starts with comes from the stack and the role alone."""

from tests.engine.admins import only_superuser
from tests.engine.program import Project

LIBPQS = {
    "PGOPTIONS": "-c search_path=public -c statement_timeout=1 -c default_transaction_read_only=on",
    "PGSSLMODE": "verify-full",
    "PGHOSTADDR": "127.0.0.2",
    "PGPORT": "1",
    "PGDATABASE": "elsewhere",
    "PGUSER": "somebody",
    "PGPASSWORD": "NobodysPassword",
    "PGPASSFILE": "/dev/null",
    "PGSERVICE": "none",
    "PGSERVICEFILE": "/dev/null",
    "PGTARGETSESSIONATTRS": "standby",
    "PGREQUIREAUTH": "none",
    "PGCHANNELBINDING": "require",
    "PGCONNECT_TIMEOUT": "1",
    "PGTZ": "Asia/Tokyo",
    "PGDATESTYLE": "German",
    "PGAPPNAME": "the-operators-own",
    "PGCLIENTENCODING": "LATIN1",
}


@only_superuser
def test_no_variable_of_libpqs_reaches_a_session(shared: Project) -> None:
    without = shared.tool("verify", "--output", "json")
    mark = shared.database.mark()
    with_all = shared.tool("verify", "--output", "json", **LIBPQS)
    assert (with_all.returncode, with_all.stdout) == (without.returncode, without.stdout), with_all.stderr
    log = shared.database.server.log.read_bytes()[mark:]
    assert b"the-operators-own" not in log
    assert shared.tool("explain", "madansara", "public.users", **LIBPQS).returncode == 0
    assert shared.tool("status", "--output", "json", **LIBPQS).returncode in (0, 1)
