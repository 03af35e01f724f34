"""Writing: judgements on records, and labels that are changed by two."""

from typing import Annotated, Any

import typer
import yaml

from api.cli.console import AsJson, AsObserver, open_pipeline, out, print_json
from api.cli.display import show_explanation, show_relabellings
from api.document import explanation_document, relabelling_document
from ontology.errors import InvalidData
from ontology.judgement import Verdict

label_app = typer.Typer(no_args_is_help=True, help="How an assertion must be handled; lowering it takes two observers.")

Reason = Annotated[str, typer.Option(help="Why, for whoever reviews it.")]


def judge(
    left: Annotated[str, typer.Argument(metavar="LEFT", help="The id of a record.")],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="The id of another.")],
    verdict: Annotated[str, typer.Option(help=f"One of {', '.join(Verdict)}.")],
    observer: AsObserver,
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Say whether two records are one thing. Kept beside earlier judgements; withdrawn takes the last one back.

    It counts for whoever may have all that you see of both.
    """
    if verdict not in list(Verdict):
        raise typer.BadParameter(f"expected one of {', '.join(Verdict)}", param_hint="--verdict")
    with open_pipeline() as pipeline:
        who = pipeline.find_observer(observer)
        pipeline.judge(who, (left, right), Verdict(verdict), reason)
        explanation = pipeline.view(who).explain(left, right)
    if json:
        print_json(explanation_document(explanation))
    else:
        show_explanation(explanation)


@label_app.command("propose")
def propose(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="The id of a record.")],
    assertion: Annotated[
        str, typer.Argument(metavar="ASSERTION", help="Which part of it, or which link, as `entity --json` names it.")
    ],
    observer: AsObserver,
    parts: Annotated[
        list[str], typer.Option("--set", metavar="PART=VALUE", help="A part of the label, such as tlp=AMBER; repeat.")
    ],
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Ask for another handling of an assertion; in force at once when no part of it is less strict."""
    said = dict(_read_part(part) for part in parts)
    with open_pipeline() as pipeline:
        who = pipeline.find_observer(observer)
        made = pipeline.propose_relabelling(who, record=record, assertion=assertion, parts=said, reason=reason)
    is_in_force = made.approved_by is not None
    if json:
        print_json({"in_force": is_in_force})
    else:
        out.print("in force" if is_in_force else "waits for another observer: `vinculum label list --as NAME`")


@label_app.command("list")
def list_(observer: AsObserver, json: AsJson = False) -> None:
    """List what waits for a second observer, as far as you see what it is about."""
    with open_pipeline() as pipeline:
        documents = [
            relabelling_document(shown) for shown in pipeline.open_relabellings(pipeline.find_observer(observer))
        ]
    if json:
        print_json(documents)
    else:
        show_relabellings(documents)


@label_app.command("approve")
def approve(
    id_: Annotated[str, typer.Argument(metavar="ID", help="An id as `label list` shows it.")],
    observer: AsObserver,
    json: AsJson = False,
) -> None:
    """Carry out what another observer proposed."""
    with open_pipeline() as pipeline:
        pipeline.approve_relabelling(pipeline.find_observer(observer), id_)
    if json:
        print_json({"id": id_, "in_force": True})
    else:
        out.print("in force")


def _read_part(text: str) -> tuple[str, Any]:
    part, sign, value = text.partition("=")
    if not sign:
        raise InvalidData("PART=VALUE, such as tlp=AMBER or cases=[A, B]", "no sign =", path="--set")
    try:
        return part.strip(), yaml.safe_load(value)
    except yaml.YAMLError as exc:
        raise InvalidData("a value as YAML writes it", "something else", path=f"--set {part.strip():.40}") from exc
