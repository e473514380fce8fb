"""The plugin process."""

from toolchain.standins.package import Package
from toolchain.standins.random.password import TYPE, Generator
from toolchain.standins.server import main

main(Package(name="random", connect=Generator, resources=(TYPE,)))
