"""The Pulumi components of a declared stack on a PostgreSQL server."""

from components.analytics_reader import AnalyticsReader
from components.database import OwnDatabase, SharedDatabase
from components.service_tenant import ServiceTenant

__all__ = ["AnalyticsReader", "OwnDatabase", "ServiceTenant", "SharedDatabase"]
