"""The Pulumi components: what a declared stack is made of on a PostgreSQL server."""

from components.analytics_reader import AnalyticsReader
from components.own_database import OwnDatabase
from components.service_tenant import ServiceTenant
from components.shared_database import SharedDatabase

__all__ = ["AnalyticsReader", "OwnDatabase", "ServiceTenant", "SharedDatabase"]
