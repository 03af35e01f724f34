"""Answering: from a document to the bytes of its answer.

A document is read through the guard before it is validated, and none is
validated twice for an organisation. graphql-core executes it, with our executor;
Strawberry makes the schema and converts arguments, and has no part in this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, execute, get_operation_ast, specified_rules, validate
from graphql.language import DocumentNode
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.errors import BadInput, explain_failure, explain_refusal, is_masked
from api.guard import check_limits, read_document
from api.loaders import Context
from api.schema import TierSchema, make_schema

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
_ONE_OPERATION = "expected a document with one operation, or the name of one of its operations"

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one document, as JSON. `is_run` is False for one that was refused before anything was looked up."""

    body: bytes
    is_run: bool


async def answer(
    context: Context, asked: str | DocumentNode, variables: Variables | None = None, operation: str | None = None
) -> Answered:
    """Answer a document for the observer of a context, under the schema of their tier; never raises for its faults.

    `asked` is its text, or a document that has no mistakes under that schema.
    """
    schema = make_schema(context.observer.tier, context.backend.policy)
    return await answer_under(schema, context, asked, variables, operation)


async def answer_under(
    schema: TierSchema,
    context: Context,
    asked: str | DocumentNode,
    variables: Variables | None = None,
    operation: str | None = None,
) -> Answered:
    """Answer a document as `answer` does, under a schema that is given."""
    try:
        mistakes, document = _read(schema, context.observer.organisation, asked, variables, operation)
        if mistakes:
            return _refuse(explain_refusal(mistakes))
        result = await _execute(schema, document, context, variables, operation)
    except GraphQLError as error:
        return _refuse(explain_refusal([error]))
    except Exception as fault:
        return _refuse(explain_refusal([GraphQLError(str(fault), original_error=fault)]))
    if not result.errors:
        return Answered(orjson.dumps({"data": result.data}), is_run=True)
    errors = explain_failure(result.errors)
    # One that was not run because of its variables has no data by GraphQL, not even null, as any other not run; errors
    # of what was run have a path, or are faults of ours.
    if result.data is None and not any("path" in error or is_masked(error) for error in errors):
        return _refuse(errors)
    return Answered(orjson.dumps({"data": result.data, "errors": errors}), is_run=True)


def find_mistakes(schema: TierSchema, document: DocumentNode) -> list[GraphQLError]:
    """Return why a document is not valid under a schema; empty for one that is."""
    return validate(schema._schema, document, _RULES)


def _read(
    schema: TierSchema, organisation: str, asked: str | DocumentNode, variables: Variables | None, operation: str | None
) -> tuple[list[GraphQLError], DocumentNode]:
    """Return a document and its mistakes; raises BadInput or a GraphQLSyntaxError for one that is not looked at."""
    if asked == "":
        raise BadInput(_ONE_OPERATION)
    checked = schema.checked.find(organisation, asked) if isinstance(asked, str) else asked
    if checked is not None:
        check_limits(checked, variables)
    document = checked or read_document(str(asked), variables)
    if get_operation_ast(document, operation) is None:
        raise BadInput(_ONE_OPERATION)
    mistakes = [] if checked is not None else find_mistakes(schema, document)
    if isinstance(asked, str) and not mistakes:
        schema.checked.add(organisation, asked, document)
    return mistakes, document


async def _execute(
    schema: TierSchema, document: DocumentNode, context: Context, variables: Variables | None, operation: str | None
) -> ExecutionResult:
    result: Any = execute(
        schema._schema,
        document,
        context_value=context,
        variable_values=dict(variables) if variables else None,
        operation_name=operation,
        executor_class=schema.execution_context_class,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
    )
    found: ExecutionResult = await result if isawaitable(result) else result
    return found


def _refuse(errors: Sequence[Mapping[str, Any]]) -> Answered:
    return Answered(orjson.dumps({"errors": errors}), is_run=False)
