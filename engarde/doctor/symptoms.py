"""The errors that the doctor knows, each with its causes in order; of several in a text the first counts."""

from __future__ import annotations

from engarde.doctor.symptoms_of_addresses import ADDRESSES, MYSQL, TLS, URLS
from engarde.doctor.symptoms_of_logins import CONNECTIONS, LOGINS
from engarde.doctor.symptoms_of_names import NAMES
from engarde.doctor.symptoms_of_rights import RIGHTS
from engarde.doctor.symptoms_of_runs import MIGRATIONS, RUNS

SYMPTOMS = (MYSQL, *LOGINS, *RIGHTS, *NAMES, *CONNECTIONS, *MIGRATIONS, *URLS, *RUNS, *TLS, *ADDRESSES)
