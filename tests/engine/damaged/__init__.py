"""What can go wrong with isolation, one thing at a time, and what verify has to call it."""

from tests.engine.damaged.code import CODE
from tests.engine.damaged.grants import GRANTS
from tests.engine.damaged.owners import OWNERS
from tests.engine.damaged.roles import ROLES

DAMAGES = {**GRANTS, **ROLES, **OWNERS, **CODE}
