"""Why a role has, or lacks, each privilege on one object: every access path, and the server's own answer."""

from engarde.declaration.model import DatabaseStack
from engarde.explain import resolve
from engarde.explain.explanation import Explanation, explanation
from engarde.explain.facts import read
from engarde.server.catalog import Role
from engarde.server.credentials import Access
from engarde.server.functions import of_stack, spelled_in
from engarde.server.session import session


def explain(stack: DatabaseStack, login: Access, who: str, what: str) -> Explanation:
    """Explains a role's access to an object of the stack's server; asks with the admin's login.

    :raises EngardeError: no role or object has this name, or several have.
    :raises Unreachable: the server could not be asked.
    """
    found = _asked(stack, login, who, what)
    # The server answers for now, the catalogs for the start of the session: a change in between is not a fault.
    return _asked(stack, login, who, what) if found.disagreements else found


def _asked(stack: DatabaseStack, login: Access, who: str, what: str) -> Explanation:
    with session(login) as asked:
        roles = {role.name: role for role in asked.query("all_roles", Role)}
        role = resolve.role(stack, who, roles)
        named = resolve.thing(asked, what)
        stack = spelled_in(stack, of_stack(asked, stack))
        return explanation(read(asked, roles, role, (named.group, named.oid), stack.server.database), stack, role)
