"""Railway's schema, executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    execute_sync,
)

from tests.railway import deploying
from tests.railway.access import Access
from tests.railway.documents import Asked
from tests.railway.mutations import MUTATIONS
from tests.railway.queries import QUERIES, Call, Resolver
from tests.railway.world import Refusal, World, new_id

SCHEMA = Path(__file__).with_name("schema.graphql")


@cache
def schema() -> GraphQLSchema:
    """Railway's schema with what answers each of its fields."""
    made = build_schema(SCHEMA.read_text())
    for name, resolver in (QUERIES | MUTATIONS).items():
        type_name, _, field = name.partition(".")
        owner = made.type_map[type_name]
        assert isinstance(owner, GraphQLObjectType)
        owner.fields[field].resolve = _bound(resolver)
    time, variables = made.type_map["DateTime"], made.type_map["EnvironmentVariables"]
    assert isinstance(time, GraphQLScalarType)
    assert isinstance(variables, GraphQLScalarType)
    time.coerce_output_value = _time
    variables.coerce_input_value = _variables
    return made


def execute(world: World, access: Access, asked: Asked, failing: Mapping[str, str]) -> dict[str, Any]:
    """What is answered; every deployment whose status was read is one further afterwards."""
    call = Call(world, access, failing)
    name = asked.operation.name
    result = execute_sync(
        schema(),
        asked.document,
        context_value=call,
        variable_values=asked.variables,
        operation_name=name.value if name else None,
        field_resolver=_by_name,
    )
    for deployment in call.polled:
        deploying.advance(world, deployment)
    if not result.errors:
        return {"data": result.data}
    return {"errors": [_shown(error) for error in result.errors], "data": result.data}


def _shown(error: GraphQLError) -> dict[str, Any]:
    if error.original_error and not isinstance(error.original_error, Refusal):
        raise error.original_error
    return {
        "message": error.message,
        "path": error.path,
        "extensions": {"code": "INTERNAL_SERVER_ERROR"},
        "traceId": new_id(),
    }


def _bound(resolver: Resolver) -> Resolver:
    def resolve(node: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        call: Call = info.context
        if info.path.prev is None and info.path.key in call.failing:
            raise Refusal(call.failing[str(info.path.key)])
        return resolver(call, node, **arguments)

    return resolve


def _by_name(node: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    if isinstance(node, dict):
        return node[info.field_name]
    return getattr(node, re.sub("([A-Z])", r"_\1", info.field_name).lower())


def _time(value: Any) -> str:
    assert isinstance(value, datetime)
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _variables(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise GraphQLError("EnvironmentVariables is an object of strings")
    return value
