"""The table of drivers in docs/drivers.md says what is tried."""

from launcher.paths import PROJECT
from tests.drivers.table import DRIVERS, Driver
from tests.drivers.versions import versions


def row(driver: Driver) -> str:
    forms = ", ".join(f"`{form}`" for form in driver.forms)
    tls = "yes" if driver.tls.self_signed.startswith("T") else "no"
    return f"| {driver.name} | {forms} | {versions(driver)} | {tls} | {driver.pooler} |".replace("|  |", "| |")


def test_each_driver_stands_there_with_its_forms_the_version_and_what_it_needs() -> None:
    rows = [line for line in (PROJECT / "docs/drivers.md").read_text().splitlines() if line.startswith("| ")]
    assert rows[2:] == [row(driver) for driver in DRIVERS]
