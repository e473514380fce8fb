"""What is wrong in a case, how it shows, and what is to be said of it."""

from dataclasses import dataclass

from engarde.doctor.model import Cause
from tests.engine.diagnosing import Diagnosis, diagnosed, heal, marks, said, told
from tests.engine.program import Project


@dataclass(frozen=True, slots=True)
class Ill:
    """Something that fails after a damage, whose cause is to be named and whose printed fix is to heal it."""

    cause: Cause
    who: str
    """a service or `analytics`"""
    fails: str
    """the statement, as whom it fails"""
    damage: tuple[str, ...] = ()
    """by hand, as the superuser"""
    clears: bool = True
    """whether no cause is left once it is healed"""
    wrap: str = "{who}: {text}"
    """how it was pasted"""


def ask(project: Project, who: str, statement: str) -> None:
    """Runs statements as a service, over its exported URL."""
    with project.connect(who) as session:
        session.execute(statement.encode())


def confirmed_first(code: int, found: Diagnosis, cause: Cause) -> None:
    """This cause is the first that is confirmed."""
    assert code == 1, told(found)
    mark = marks(found)
    first = next((says for says, each in mark.items() if each == "confirmed"), None)
    assert first == cause.says, told(found)
    assert found["verified"], told(found)


def named_and_healed(project: Project, ill: Ill) -> None:
    """Damage, see it fail, see the cause confirmed, do what is printed, see it work, see the cause gone."""
    project.database.run(*ill.damage)
    text = said(lambda: ask(project, ill.who, ill.fails))
    pasted = ill.wrap.replace("{who}", ill.who).replace("{text}", text)
    code, found = diagnosed(project, pasted)
    confirmed_first(code, found, ill.cause)
    heal(project, found["remedy"])
    ask(project, ill.who, ill.fails)
    code, found = diagnosed(project, pasted)
    assert marks(found)[ill.cause.says] == "ruled out", told(found)
    if ill.clears:
        assert code == 0, told(found)


def only_named(project: Project, pasted: str, cause: Cause, kind: str) -> Diagnosis:
    """The cause is confirmed, and its fix is of a kind that a test cannot do."""
    code, found = diagnosed(project, pasted)
    confirmed_first(code, found, cause)
    assert found["remedy"]["kind"] == kind, told(found)
    return found
