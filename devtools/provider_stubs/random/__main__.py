"""The plugin process."""

from devtools.provider_stubs.package import Package
from devtools.provider_stubs.random.password import TYPE, Generator
from devtools.provider_stubs.server import main

main(Package(name="random", connect=Generator, resources=(TYPE,)))
