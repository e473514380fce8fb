"""Documents, as far as the schema says what they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_argument_values,
    get_operation_ast,
    get_variable_values,
    parse,
    validate,
)


class Invalid(Exception):
    """A request that is not executed at all."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Root:
    """One field of the query or mutation itself."""

    name: str
    key: str
    """what it is answered under: its alias, if it has one"""
    ids: tuple[str, ...]
    """what may name a service or one of its deployments"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A document that can be executed."""

    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]
    roots: tuple[Root, ...]

    @property
    def writes(self) -> bool:
        return self.operation.operation is OperationType.MUTATION


def understand(schema: GraphQLSchema, body: object) -> Asked:
    """Checks what was posted.

    :raises Invalid: with everything that is wrong with it
    """
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Invalid("The body is no object with a `query`")
    try:
        document = parse(body["query"])
    except GraphQLError as error:
        raise Invalid(error.message) from error
    variables = body.get("variables") or {}
    if errors := validate(schema, document):
        raise Invalid(*(error.message for error in errors))
    operation = get_operation_ast(document, body.get("operationName"))
    if operation is None or not isinstance(variables, dict):
        raise Invalid("No operation of that name, or variables that are no object")
    values = get_variable_values(schema, operation.variable_definitions or (), variables)
    if isinstance(values, list):
        raise Invalid(*(error.message for error in values))
    kind = schema.get_root_type(operation.operation)
    assert kind
    roots = tuple(
        Root(
            node.name.value,
            (node.alias or node.name).value,
            tuple(_ids(get_argument_values(kind.fields[node.name.value], node, values))),
        )
        for node in _fields(operation.selection_set, document)
        if node.name.value in kind.fields
    )
    return Asked(document, operation, variables, roots)


def _fields(selections: SelectionSetNode, document: DocumentNode) -> list[FieldNode]:
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    found: list[FieldNode] = []
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            found.append(selection)
        elif isinstance(selection, InlineFragmentNode):
            found += _fields(selection.selection_set, document)
        elif isinstance(selection, FragmentSpreadNode):
            found += _fields(fragments[selection.name.value].selection_set, document)
    return found


def _ids(arguments: Mapping[str, Any]) -> list[str]:
    inside = arguments.get("input") or {}
    named = [arguments.get("serviceId"), arguments.get("id"), inside.get("serviceId")]
    return [each for each in named if isinstance(each, str)]
