"""The Pulumi program: the declared stack on its server, and what deploy scripts read from it."""

import pulumi

from components import AnalyticsReader, ServiceTenant, SharedDatabase
from components.before import before, counters
from components.engine import declared_stack, recorded, short_stacks
from engarde.errors import EngardeError
from engarde.names import ANALYTICS
from engarde.rotations import refuse_lower
from engarde.stackfile import PASSWORD_KEY
from engarde.survey import survey

config = pulumi.Config()
try:
    stack = declared_stack()
    state = recorded()
    refuse_lower(stack, counters(state))
    tables = survey(stack, config.require(PASSWORD_KEY), before(stack, state))
except EngardeError as fault:
    raise pulumi.RunError(str(fault)) from None

with short_stacks():
    shared = SharedDatabase("database", stack, config.require_secret(PASSWORD_KEY), tables, state)
    tenants = {service.name: ServiceTenant(service.name, service, shared) for service in stack.services}
    reader = AnalyticsReader(ANALYTICS, stack.analytics, shared) if stack.analytics else None
    for tenant in tenants.values():
        tenant.make_schema()
    for tenant in tenants.values():
        tenant.grant_reads()
    if reader:
        reader.grant_reads()
    shared.complete()

logins = {name: tenant.login for name, tenant in tenants.items()}
roles = {service.role: logins[service.name] for service in stack.services}
if stack.analytics and reader:
    roles[stack.analytics.role] = reader.login

pulumi.export("database_urls", pulumi.Output.secret({name: login.url for name, login in logins.items()}))
pulumi.export("analytics_url", pulumi.Output.secret(reader.login.url if reader else None))
pulumi.export("passwords", pulumi.Output.secret({role: login.password for role, login in roles.items()}))
pulumi.export("services", {name: tenant.summary for name, tenant in tenants.items()})
