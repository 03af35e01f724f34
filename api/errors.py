"""What a caller is told when something goes wrong: codes, constant texts, and nothing of ours.

A caller's own mistake is explained. Whatever else fails gives one constant text
with a random reference, under which the log names the kind and place of the
fault and no value.
"""

import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from traceback import extract_tb
from typing import Any

from graphql import GraphQLError

from ontology.errors import InvalidCursor, InvalidData, NotPermitted

log = logging.getLogger(__name__)

MAX_SHOWN = 10  # errors of one document
MAX_LENGTH = 500  # of a message, which may quote a name that the caller made up
_INTERNAL = "INTERNAL"
_SUGGESTION = " Did you mean "
# Where graphql-core quotes a value, and what is kept of that. Where it would suggest a name it quotes none, and ends with
# a full stop: so does the rest, or it would tell that there was something to suggest.
_VALUES = (
    (re.compile(r"( cannot represent [\w -]+): .*", re.DOTALL), r"\1"),
    (re.compile(r"(Expected value of type '[^']*'[^,]*), found:? .*", re.DOTALL), r"\1."),
    (re.compile(r"Value '.*'(?= does not exist in )", re.DOTALL), "Value"),
)


class BadInput(GraphQLError):
    """A caller asked for what cannot be asked for; the message is theirs to read."""


# A caller's own mistakes, whose constant texts hold nothing of what is stored.
_CODES: dict[type, str] = {InvalidCursor: "INVALID_CURSOR", InvalidData: "BAD_INPUT", NotPermitted: "NOT_PERMITTED"}
_EXPLAINED = (GraphQLError, *_CODES)


def make_error(code: str, message: str, **extensions: Any) -> dict[str, Any]:
    """Return one error in the form that GraphQL gives it."""
    return {"message": message, "extensions": {"code": code, **extensions}}


UNAUTHENTICATED = make_error("UNAUTHENTICATED", "expected a valid token in the Authorization header (Bearer)")
NOT_JSON = make_error("UNSUPPORTED_MEDIA_TYPE", "expected the content type application/json in UTF-8")
NOT_ACCEPTABLE = make_error(
    "NOT_ACCEPTABLE", "expected application/json or application/graphql-response+json to be accepted"
)
TOO_LARGE = make_error("TOO_LARGE", "expected a smaller request")
BAD_REQUEST = make_error(
    "BAD_REQUEST",
    "expected one JSON object with query or documentId (text), variables (object), operationName (text) and extensions"
    " (object)",
)
NOT_FOUND = make_error("NOT_FOUND", "nothing is served at this address")
NOT_ALLOWED = make_error("METHOD_NOT_ALLOWED", "expected another method")
TOO_SLOW = make_error("TOO_SLOW", "expected the whole request sooner")
OVERLOADED = make_error("OVERLOADED", "too many ask at once; ask again later")
LATE = make_error(
    "LATE", "expected a document that is answered sooner; what it was to change may have been changed all the same"
)
NOT_TRUSTED = make_error("NOT_TRUSTED", "expected the documentId of a trusted document in place of a query")
UNKNOWN_DOCUMENT = make_error("UNKNOWN_DOCUMENT", "expected the documentId of a trusted document, found another")
UNAVAILABLE = make_error("UNAVAILABLE", "the store does not answer")


def explain_refusal(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """Return why a document was not run, without suggestions; the first few reasons only.

    One that is not the document's own fault is masked, and stands alone.
    """
    masked = _first_fault(errors)
    return [mask(masked)] if masked else [_show(error) for error in errors[:MAX_SHOWN]]


def explain_failure(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """Return what went wrong while a document ran: the caller's mistakes, or one masked error."""
    masked = _first_fault(errors) or next((e for e in errors if e.path and not _is_bad_input(e)), None)
    return [mask(masked)] if masked else [_show(error) for error in errors[:MAX_SHOWN]]


def mask(error: BaseException) -> dict[str, Any]:
    """Return the constant error for a fault of ours, and log where it was under the same reference."""
    reference = secrets.token_hex(4)
    cause = error.original_error if isinstance(error, GraphQLError) and error.original_error else error
    place = extract_tb(cause.__traceback__)[-1:] if cause.__traceback__ else []
    where = f"{place[0].filename}:{place[0].lineno}" if place else "no known place"
    log.error("reference %s: %s at %s", reference, type(cause).__name__, where)
    return make_error(
        _INTERNAL, "something failed on our side; the operator can find the reference", reference=reference
    )


def is_masked(error: Mapping[str, Any]) -> bool:
    """Whether an error that is told stands for a fault of ours."""
    return bool(error["extensions"]["code"] == _INTERNAL)


def _first_fault(errors: Sequence[GraphQLError]) -> GraphQLError | None:
    return next((e for e in errors if e.original_error and not isinstance(e.original_error, _EXPLAINED)), None)


def _is_bad_input(error: GraphQLError) -> bool:
    return isinstance(error, BadInput) or isinstance(error.original_error, (BadInput, *_CODES))


def _without_values(message: str) -> str:
    """Return a message of graphql-core without the value that does not fit, be it the caller's own: errors are logged."""
    for place, kept in _VALUES:
        message = place.sub(kept, message)
    return message


def _show(error: GraphQLError) -> dict[str, Any]:
    code = _CODES.get(type(error.original_error), "BAD_INPUT")
    shown = make_error(code, _without_values(error.message.partition(_SUGGESTION)[0])[:MAX_LENGTH])
    locations = [{"line": place.line, "column": place.column} for place in (error.locations or ())[:MAX_SHOWN]]
    return shown | ({"locations": locations} if locations else {}) | ({"path": error.path} if error.path else {})
