"""Errors of addresses, URLs, TLS and of what does not belong to this project."""

from __future__ import annotations

from engarde.doctor.causes import addresses, timeouts, tls, urls
from engarde.doctor.model import Symptom
from engarde.doctor.patterns import HOST, codes, words

_ADDRESS = (
    addresses.REFERENCE,
    addresses.PRIVATE_HOST,
    addresses.NO_URL,
    addresses.OTHER,
)

MYSQL = Symptom(
    "mysql",
    "It is an error of MySQL, which this project leaves alone.",
    (urls.MYSQL,),
    words(
        r"mysql(?:\+\w+)?://",
        r"\(\d{4}, ?[\"']Access denied for user",
        r"MySQL server has gone away|Lost connection to MySQL server|Can't connect to (?:local )?MySQL server",
        r"\bpymysql\b|\bMySQLdb\b|\bmysql\.connector\b|SQLSTATE\[HY000\] \[(?:2002|1045)\]",
    ),
)

URLS = (
    Symptom(
        "url-options",
        "The URL is the setup guide's, which libpq cannot read.",
        (urls.GUIDES,),
        words(r'extra key/value separator "=" in URI query parameter'),
    ),
    Symptom(
        "startup-options",
        "A pooler refuses the `options` in the URL.",
        (urls.DECLARED_OPTIONS, urls.OLD_OPTIONS),
        words(r"unsupported startup parameter"),
        codes("08P01"),
    ),
    Symptom(
        "no-driver",
        "The driver that the URL leads to is not installed.",
        (urls.NO_DRIVER,),
        words(r"No module named '(?P<object>psycopg2?|asyncpg|pg8000)'"),
    ),
    Symptom(
        "driver-not-async",
        "An asynchronous engine has a synchronous driver.",
        (urls.NOT_ASYNC,),
        words(r"loaded '(?P<object>\w+)' is not async"),
    ),
    Symptom(
        "prepared-statement",
        "A prepared statement is another session's: a pooler stands in between (SQLSTATE 42P05, 26000).",
        (urls.POOLER,),
        words(r'prepared statement "(?P<object>[^"]*)" (?:already exists|does not exist)'),
        codes("42P05", "26000"),
    ),
)

TLS = (
    Symptom(
        "no-tls",
        "TLS was asked for, and the server has none.",
        (tls.STRICT, tls.OFF, tls.OWN),
        words(
            r"server does not support SSL",
            r"rejected SSL upgrade",
        ),
    ),
    Symptom(
        "certificate",
        "The server's certificate is not one that the client trusts.",
        (tls.VERIFY, tls.NODE_PLAIN, tls.OWN),
        words(
            r"certificate[_ ]verify[_ ]failed",
            r"self[- _]signed[_ ]cert",
            r'root certificate file "[^"]*" does not exist',
            r"unable to verify the first certificate|UNABLE_TO_VERIFY_LEAF_SIGNATURE|PKIX path building failed",
            r"weak sslmode .{1,40} may not be used with sslrootcert=system",
            r"x509: certificate signed by unknown authority",
        ),
    ),
    Symptom(
        "cut",
        "The connection ended in the middle.",
        (timeouts.RESTARTED, timeouts.LEFT_OPEN, timeouts.CUT),
        words(
            r"SSL connection has been closed unexpectedly",
            r"server closed the connection unexpectedly",
            r"terminating connection due to administrator command",
            r"SSL SYSCALL error|Connection terminated unexpectedly",
        ),
        codes("57P01", "08006", "08003"),
        faint=True,
    ),
)

ADDRESSES = (
    Symptom(
        "host",
        "The host of the URL is not found.",
        (*_ADDRESS, addresses.UNRESOLVED),
        words(
            r'could not translate host name "(?P<host>[^"]*)"',
            r"failed to resolve host '(?P<host>[^']*)'",
            r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?P<host>\S+)",
            r"\[Errno -[235]\]|nodename nor servname provided",
            r"Temporary failure in name resolution|Name or service not known",
            r"\$\{\{[\w .-]+\}\}",
        ),
        faint=True,
    ),
    Symptom(
        "refused",
        "Nobody answers at the address.",
        (*_ADDRESS, addresses.DOWN),
        words(
            HOST + r"(?:could not connect to server: )?(?:could not receive data from server: )?Connection refused",
            r"Connection refused",
            r"connect ECONNREFUSED (?P<host>[^\s:]+):(?P<port>\d+)",
            r"Connect call failed \('(?P<host>[^']+)', (?P<port>\d+)",
            r"Connection to (?P<host>[^\s:]+):(?P<port>\d+) refused",
            r"connection timed out|timeout expired|ECONNREFUSED|ETIMEDOUT",
        ),
        codes("08001"),
        faint=True,
    ),
)
