"""Terraform under the clock, where it and the provider can be had."""

import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import process
from tests.bench.terraform_config import POSTGRESQL, RANDOM, SOURCES, Block
from tests.bench.tool import Command, Phase, Tool
from tests.engine.admins import PASSWORD

PROVIDERS = "ENGARDE_BENCH_TERRAFORM_PROVIDER"
"""The folder of `terraform-provider-postgresql` and, if need be, `terraform-provider-random`."""

INIT_LIMIT = 300.0
"""Of one download of providers (seconds)."""

CONFIGURATION = "main.tf.json"
OPTIONS = ("-no-color", "-input=false")
PHASES = {
    Phase.UP: ("apply", "-auto-approve"),
    Phase.PREVIEW: ("plan", "-detailed-exitcode", "-refresh=false"),
    Phase.REFRESH: ("plan", "-detailed-exitcode"),
    Phase.DESTROY: ("destroy", "-auto-approve"),
}


class TerraformMissing(Exception):
    """Terraform or the provider cannot be had; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Terraform:
    """A terraform that has its providers."""

    binary: str
    version: str
    environment: Mapping[str, str] = field(repr=False)
    initialised: Path
    """the folder that every run's is copied from"""

    makes_passwords: bool
    """whether the provider `random` is there; otherwise the roles are given verifiers made before"""


def found(folder: Path) -> Terraform:
    """The terraform on PATH with the providers of the environment's folder, else with those that its `init` gets.

    :raises TerraformMissing: where that leads to none.
    """
    if not (binary := shutil.which("terraform")):
        raise TerraformMissing("no terraform on PATH")
    folder.mkdir()
    environment = _environment()
    given = os.environ.get(PROVIDERS)
    if given:
        names = _given(Path(given))
        environment["TF_CLI_CONFIG_FILE"] = str(_overrides(folder / "terraform.rc", Path(given), names))
    else:
        names = _initialised(binary, folder, environment)
    version = process.run([binary, "version", "-json"], folder, environment)
    if version.exit:
        raise TerraformMissing("; ".join(process.errors("terraform version", version, [])))
    return Terraform(
        binary, json.loads(version.output)["terraform_version"], environment, folder, makes_passwords=RANDOM in names
    )


def terraform(found: Terraform, folder: Path, configuration: Block, parallelism: int | None) -> Tool:
    """A configuration at a parallelism, or at the default one."""
    shutil.copytree(found.initialised, folder, symlinks=True)
    (folder / CONFIGURATION).write_text(json.dumps(configuration, indent=2))
    at_once = (f"-parallelism={parallelism}",) if parallelism else ()
    return Tool(
        " ".join(("terraform", *at_once)),
        folder,
        found.environment,
        {phase: Command((found.binary, *words, *OPTIONS, *at_once)) for phase, words in PHASES.items()},
        lambda: _resources(folder / "terraform.tfstate"),
        ours=False,
        # It cannot keep on the server what it lets go of, so PUBLIC loses `public`, too.
        leaves_as_floor=False,
    )


def _environment() -> dict[str, str]:
    """Ours without what would change a run, and the way to the server's admin."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR") or not name.startswith(("TF_", "PG"))
    }
    return kept | {"PGPASSWORD": PASSWORD, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


def _given(folder: Path) -> list[str]:
    names = [name for name in SOURCES if (folder / f"terraform-provider-{name}").exists()]
    if POSTGRESQL not in names:
        raise TerraformMissing(f"{PROVIDERS} names a folder without terraform-provider-{POSTGRESQL}")
    return names


def _overrides(file: Path, folder: Path, names: Collection[str]) -> Path:
    lines = "".join(f"    {json.dumps(SOURCES[name])} = {json.dumps(str(folder.resolve()))}\n" for name in names)
    file.write_text(f"provider_installation {{\n  dev_overrides {{\n{lines}  }}\n  direct {{}}\n}}\n")
    return file


def _initialised(binary: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """The providers that `terraform init` gets: both, else the one that is needed."""
    for names in ([POSTGRESQL, RANDOM], [POSTGRESQL]):
        required = {name: {"source": SOURCES[name]} for name in names}
        (folder / CONFIGURATION).write_text(json.dumps({"terraform": {"required_providers": required}}))
        done = process.run([binary, "init", *OPTIONS], folder, environment, limit=INIT_LIMIT)
        if done.exit == 0:
            return names
    said = " ".join(process.errors("terraform init", done, [])[-1].split())
    raise TerraformMissing(f"{PROVIDERS} names no folder with the provider, and {said}")


def _resources(state: Path) -> int:
    if not state.exists():
        return 0
    resources = json.loads(state.read_text())["resources"]
    return sum(len(resource["instances"]) for resource in resources if resource["mode"] == "managed")
