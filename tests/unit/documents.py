"""Stack files that may be anything: torn, odd, right but for one thing; every text value in them is a secret."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

SECRETS = ("Pl4ntedPasswordOfTheAdmin", "planted_value", "Pl4ntedCipherText", "Pl4ntedInTheUrl", "Pl4ntedTornValue")
PASSWORD, VALUE, CIPHER, IN_URL, TORN = SECRETS
URLS = (f"postgresql://u:{IN_URL}@h/d", f"mysql://u:{IN_URL}@h/d", f"jdbc:postgresql://h/d?password={IN_URL}")

STACK: dict[str, Any] = {
    "server": {"host": f"{VALUE}.example", "port": 5433, "database": "railway", "connectionBudget": 90},
    "serviceAddress": {"host": "${{Postgres.HOST}}"},
    "services": {
        "madansara": {
            "reads": ["public.users", {"table": "public.brands", "columns": ["id"]}, f'{VALUE}_schema."{VALUE}"'],
            "role": VALUE,
            "connectionLimit": 5,
            "status": {"size": "5 GB", "connections": 80},
            "migrations": {"path": VALUE, "command": [VALUE], "variable": "A", "urlFormat": "plain"},
            "railway": {"service": [VALUE], "variables": {"DIRECT_URL": {"unpooled": True, "urlFormat": "jdbc"}}},
        },
        "sankore": None,
        "O'Brien": {"schema": f"{VALUE}_schema", "statementTimeout": 30000, "urlFormat": "jdbc", "rotation": 2},
    },
    "existingSchemas": {"public": {"service": VALUE, "creators": ["postgres", VALUE]}},
    "analytics": {"schemas": ["public", "sankore"]},
    "extensions": {"vector": {"version": VALUE}},
    "railway": {"project": VALUE, "environment": VALUE},
    "unpooledAddress": {"host": f"{VALUE}.example"},
    "status": {"slowStatement": 500, "databaseSize": "40 GB"},
    "outsideRoles": {"backend": {"database": ["CONNECT"], "schemas": {"public": ["USAGE"]}}},
}
KEYS = sorted(
    {*STACK, *(key for part in STACK.values() for key in part), "adminPassword", "schema", "role", "adopt", "name", "x"}
)

ODD_VALUES = (
    *("!!binary /////w==", "!!bool foo", "!!int abc", "!!float abc", "!!timestamp foo", "!!set {a, b}", "!foo bar"),
    *("!!omap [a: 1]", "!!python/object:os.system x", "2001-99-99", "2001-01-01", ".nan", "-.inf", "1e99999"),
    *("9" * 6000, "0x" + "f" * 6000, "{[a]: b}", "{{a: 1}: b}", "{null: 1}", "{2001-01-01: 1}", "{1: a, '1': b}"),
    *('"\\ud800"', '"\\0"', "{<<: [1]}", "{<<: {a: 1}}", "{!!binary /////w==: 1}", "&a [*a]", "&a {b: *a}", "*nope"),
    *("[" * 2000, "{a: " * 500, "[" * 100 + "]" * 100, "? " * 500, "{x: 1, x: 2}", "= ", "!!str", "|", "%", "\x00"),
    *(json.dumps(url) for url in URLS),
    f"{{secure: v1:{CIPHER}}}",
)
ODD_STARTS = ("", "", "", "\ufeff", "%YAML 1.1\n---\n", "%YAML 9.9\n---\n", "--- !!map\n", "{}\n---\n", "\x00", "- ")
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

texts = st.just(VALUE) | st.sampled_from(URLS) | st.sampled_from(["public", "public.users", "", "CONNECT", "plain"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([10**30, -1, 0, 5432]) | texts
keys = st.sampled_from(KEYS) | st.text(max_size=6) | st.sampled_from(URLS)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


@st.composite
def changed(draw: st.DrawFn) -> dict[str, Any]:
    """A right stack in which a few values are others, gone, or under other keys."""
    stack = json.loads(json.dumps(STACK))
    for _ in range(draw(st.integers(0, 3))):
        place: Any = stack
        while True:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not (isinstance(place[key], dict | list) and place[key]) or draw(st.integers(0, 2)) == 0:
                break
            place = place[key]
        beside = list(place.values()) if isinstance(place, dict) else place
        value = draw(st.sampled_from(beside) | trees)
        if isinstance(place, dict) and draw(st.booleans()):
            del place[key]
            key = draw(keys)
        place[key] = value
        if not stack:
            break
    return dict(stack)


def file(sections: dict[str, Any], password: Any) -> str:
    """A stack file with these sections: JSON, which is YAML, but for what JSON does not know."""
    config = {f"engarde:{name}": section for name, section in sections.items()}
    return json.dumps({"config": {**config, "engarde:adminPassword": password}, "encryptionsalt": "v1:x"}, indent=1)


passwords = st.sampled_from([{"secure": f"v1:{CIPHER}"}] * 3 + [PASSWORD, None, [PASSWORD], {"secure": [CIPHER]}])
changed_files = st.builds(file, changed(), passwords)
trees_as_files = st.builds(file, st.dictionaries(keys, trees, max_size=5), passwords)


@st.composite
def torn_files(draw: st.DrawFn) -> str:
    """A right file, of which a piece is cut out, doubled, or something odd in its place."""
    # Torn, a value may end up as a key, which is shown unless it looks like a secret.
    text = file(STACK, {"secure": f"v1:{CIPHER}"}).replace(VALUE, TORN)
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.integers(0, 40)))
    between = draw(st.sampled_from(["", text[start:end] * 2, *ODD_VALUES]) | st.text(max_size=5))
    return draw(st.sampled_from(ODD_STARTS)) + text[:start] + between + text[end:]


@st.composite
def odd_files(draw: st.DrawFn) -> str:
    """A file of which one place holds what only YAML can say."""
    section, value = draw(st.sampled_from([*STACK, "adminPassword"])), draw(st.sampled_from(ODD_VALUES))
    inner = draw(st.sampled_from(["{}", "{{a: {}}}", "[{}]", "{{a: {{schema: {}}}}}", "{{host: {}}}"])).format(value)
    start = draw(st.sampled_from([*ODD_STARTS, LAUGHS]))
    return f"{start}config:\n  engarde:server: {{host: h, database: d}}\n  engarde:{section}: {inner}\n"


soup = st.lists(
    st.sampled_from([*"[]{}:,-?&*!|>%@#'\"\n \t", "config", "engarde:", "services", *ODD_VALUES]), max_size=25
).map("".join)
files = st.one_of(changed_files, trees_as_files, torn_files(), odd_files(), soup, st.text(max_size=60))
broken_bytes = st.binary(max_size=80) | files.map(lambda text: text.encode("utf-16", "surrogatepass"))
