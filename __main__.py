"""The Pulumi program: the declared stack on its servers, and what deploy scripts read from it."""

import os

import pulumi

from components import AnalyticsReader, OwnDatabase, ServiceTenant, SharedDatabase
from components.engine import AdminPasswords, declared_stack, recorded, refuse, short_stacks
from components.previous_run import before, counters, leaving, refuse_to_drop_protected
from components.renames import Renames
from components.retained import places
from engarde.checks.under_way import under_way
from engarde.declaration.names import ANALYTICS
from engarde.declaration.resource_names import lower_counters, refuse_lower
from engarde.errors import EngardeError
from engarde.preflight.abandoned_rows import idle_words
from engarde.preflight.abandoned_rows import refuse as refuse_to_leave
from engarde.preflight.server_facts import survey
from engarde.pulumi_cli.process import OF_THE_TOOL
from engarde.server.blocking import PULUMI, Watch, start
from engarde.server.libpq import forget_libpqs
from engarde.util.terminal import visible

forget_libpqs()
passwords = AdminPasswords(pulumi.Config())
try:
    stack = declared_stack()
    for begun in () if OF_THE_TOOL in os.environ else under_way(stack.name, {}):
        pulumi.log.warn(str(begun))
    renames = Renames(stack, recorded(), passwords.login)
    renames.refuse_under_way()
    state = renames.recorded
    refuse_lower(stack, lower_counters(stack, counters(state)).values())
    databases = places(stack, state)
    left = [leaving(database, stack, state) for database in databases]
    for leaves in left:
        refuse_to_leave(leaves, passwords.clear(leaves.database))
    for word in idle_words(stack, left):
        pulumi.log.warn(visible(word))
    # Refuses to drop roles that own something in another database, so the shared database comes last.
    found = [
        survey(database, passwords.clear(database), before(database, stack, renames), pulumi.log.warn)
        for database in reversed(databases)
    ]
    found.reverse()
    for role in sorted(set(stack.shut_out).difference(*(seen.roles for seen in found))):
        pulumi.log.warn(f"engarde:shutOut: role {role} does not exist any more; remove it from the stack file")
    refuse_to_drop_protected(stack, state)
    renames.refuse_to_revoke(databases, found)
    renames.warn(databases)
    server_wide = [database for database in databases if database.server_wide]
    for database in () if pulumi.runtime.is_dry_run() else server_wide:
        admin = passwords.login(database)
        start(Watch(admin, admin.role, PULUMI, pulumi.log.warn))
    renames.resume(server_wide)
except EngardeError as fault:
    refuse(fault)

with short_stacks():
    shared = SharedDatabase(databases[0], passwords.secret(databases[0]), found[0], renames)
    own = [
        OwnDatabase(database, shared, passwords.secret(database) if database.elsewhere else None, seen, renames)
        for database, seen in zip(databases[1:], found[1:], strict=True)
    ]
    homes = {home.stack.label: home for home in (shared, *own)}
    tenants = {
        service.name: ServiceTenant(service.name, service, homes[service.database], renames.options(service.name))
        for service in stack.services
    }
    reader = AnalyticsReader(ANALYTICS, stack.analytics, shared, own) if stack.analytics else None
    for tenant in tenants.values():
        tenant.make_schema()
    for tenant in tenants.values():
        tenant.grant_reads(homes.values())
    shared.grant_outside_reads()
    if reader:
        reader.grant_reads()
    for component in homes.values():
        component.complete()
    for tenant in tenants.values():
        tenant.leave(homes.values())
    for component in homes.values():
        component.set_role_settings(passwords.clear(component.stack))
    renames.finish(databases)

logins = {name: tenant.login for name, tenant in tenants.items()}
roles = {service.role: logins[service.name] for service in stack.services}
if stack.analytics and reader:
    roles[stack.analytics.role] = reader.login

pulumi.export("database_urls", pulumi.Output.secret({name: login.url for name, login in logins.items()}))
pulumi.export("analytics_url", pulumi.Output.secret(reader.login.url if reader else None))
if len(databases) > 1:
    pulumi.export("analytics_urls", pulumi.Output.secret(reader.urls if reader else {}))
pulumi.export("passwords", pulumi.Output.secret({role: login.password for role, login in roles.items()}))
pulumi.export("services", {name: tenant.summary for name, tenant in tenants.items()})
