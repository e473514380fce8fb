"""5,000 stack files: each is a stack or one message, never a traceback, a touched resource or a secret."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime import set_all_config

from components.engine import declared_stack
from engarde.declaration.stack_file import LONGEST
from engarde.errors import ConfigError
from engarde.pulumi_cli.stacks import read
from tests.unit import documents, mocked
from tests.unit.documents import PASSWORD, SECRETS, VALUE

SLOW = 10.0
"""Far more than any document takes, on a busy machine too (seconds)."""


def fuzz(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def assert_one_message(fault: Exception) -> None:
    # Which database a service is in has to be said, and its name may be one of these.
    said = str(fault).replace(f"in database {VALUE}", "")
    assert said.startswith("Pulumi.fuzz.yaml"), said
    assert not [secret for secret in SECRETS if secret in said], said
    assert fault.__cause__ is None
    assert fault.__suppress_context__ or fault.__context__ is None, "the first fault would be shown with it"


def read_or_told(folder: Path, content: bytes) -> None:
    (folder / "Pulumi.fuzz.yaml").write_bytes(content)
    began = time.monotonic()
    try:
        read(folder, "fuzz")
    except ConfigError as fault:
        assert_one_message(fault)
    assert time.monotonic() - began < SLOW


@fuzz(3500)
@given(documents.files)
def test_any_text_is_a_stack_or_one_message(tmp_path: Path, text: str) -> None:
    read_or_told(tmp_path, text.encode(errors="surrogatepass"))


@fuzz(300)
@given(documents.broken_bytes)
def test_any_bytes_are_one_message(tmp_path: Path, content: bytes) -> None:
    read_or_told(tmp_path, content)


@pytest.mark.parametrize("value", documents.ODD_VALUES)
def test_what_only_yaml_can_say(tmp_path: Path, value: str) -> None:
    read_or_told(tmp_path, f"config:\n  engarde:services: {value}\n".encode(errors="surrogatepass"))


def test_a_file_that_grows_by_its_aliases_or_is_endless(tmp_path: Path) -> None:
    laughs = "".join(f"  engarde:{line}\n" for line in documents.LAUGHS.splitlines())
    for text in (f"config:\n{laughs}  engarde:services: {{a: *i}}\n", "config: {}\n" + "#" * LONGEST):
        with pytest.raises(ConfigError, match=r"holds more than 100000 values|longer than 1000000 bytes"):
            (tmp_path / "Pulumi.fuzz.yaml").write_text(text)
            read(tmp_path, "fuzz")


def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.fuzz.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"^Pulumi\.fuzz\.yaml: cannot be read: not a regular file$"):
        read(tmp_path, "fuzz")


def test_a_key_that_reads_like_a_secret_is_not_shown(tmp_path: Path) -> None:
    for odd in (PASSWORD, f"v1:{PASSWORD}:x", f"a {PASSWORD}", "x" * 1000, "postgresql://h"):
        (tmp_path / "Pulumi.fuzz.yaml").write_text(json.dumps({"config": {"engarde:services": {odd: 1}}}))
        with pytest.raises(ConfigError, match=r"engarde:services\.\(a key (that looks like|of 1000)") as told:
            read(tmp_path, "fuzz")
        assert odd not in str(told.value)


values = documents.scalars.map(lambda value: "" if value is None else str(value)) | documents.trees.map(json.dumps)
odd_json = st.sampled_from(["[" * 5000, '{"a":' * 5000, "9" * 6000, "NaN", '"\\ud800"', "{", "null", "-0", " "])
configurations = st.one_of(
    documents.changed().map(lambda sections: {name: json.dumps(value) for name, value in sections.items()}),
    st.dictionaries(st.sampled_from(documents.KEYS) | st.text(max_size=6), values | odd_json, max_size=5),
)


@fuzz(1100)
@given(configurations, st.sampled_from([["engarde:adminPassword"]] * 3 + [[], ["engarde:services"]]))
def test_any_configuration_is_a_stack_or_one_message(given: dict[str, str], secrets: list[str]) -> None:
    mocked.set_mocks(Mock(), project="engarde", stack="fuzz")
    named = {f"engarde:{name}": value for name, value in given.items()}
    set_all_config({**named, "engarde:adminPassword": PASSWORD}, secrets)
    try:
        declared_stack()
    except ConfigError as fault:
        assert_one_message(fault)


@fuzz(100)
@given(documents.changed())
def test_a_faulty_document_registers_nothing(sections: dict[str, Any]) -> None:
    ran = mocked.Ran()
    try:
        mocked.run(sections, password=PASSWORD, stack="fuzz", ran=ran)
    except mocked.Ended as fault:
        assert_one_message(fault)
        assert not ran.urns
        assert not ran.exports
    else:
        assert ran.exports
