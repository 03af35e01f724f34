"""Deciding: judgements on records, labels that are changed by two, consents, and what is taken out under them."""

from typing import Annotated, Any

import typer
import yaml

from api.cli.console import AsActor, AsJson, AsJsonAlways, AsObserver, err, open_pipeline, out, print_json
from api.cli.display import show_explanation, show_relabellings
from api.document import consent_document, explanation_document, export_document, relabelling_document
from ontology.consent import Use
from ontology.errors import InvalidData
from ontology.judgement import Verdict
from ontology.observer import Observer
from ontology.policy import Policy

label_app = typer.Typer(no_args_is_help=True, help="How an assertion must be handled; lowering it takes two observers.")
consent_app = typer.Typer(no_args_is_help=True, help="That an organisation lets its material be used further.")

Reason = Annotated[str, typer.Option(help="Why, for whoever reviews it.")]


def judge(
    left: Annotated[str, typer.Argument(metavar="LEFT", help="The id of a record.")],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="The id of another.")],
    verdict: Annotated[str, typer.Option(help=f"One of {', '.join(Verdict)}.")],
    observer: AsActor,
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Say whether two records are one thing. Kept beside earlier judgements; withdrawn takes your own back.

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
    observer: AsActor,
    parts: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="PART=VALUE",
            help=r"A part of the label, such as tlp=AMBER; a list in brackets, as in 'cases=\[A, B]', and none as"
            r" 'release=\[]'. Repeat it for other parts.",
        ),
    ],
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Ask for another handling of an assertion; in force at once when no part of it is less strict."""
    said = dict(_read_part(part) for part in parts)
    with open_pipeline() as pipeline:
        who = pipeline.find_observer(observer)
        made = pipeline.propose_relabelling(who, record=record, assertion=assertion, parts=said, reason=reason)
        waiting = [] if made.is_approved else pipeline.open_relabellings(who)
    # Whoever is not of the owner is not shown what waits, their own proposal included.
    id_ = next((s.id for s in waiting if (s.proposed_by, s.proposed_at) == (who.name, made.proposed_at)), None)
    if json:
        print_json({"in_force": made.is_approved, "id": id_})
    elif made.is_approved:
        out.print("in force")
    elif id_ is None:
        out.print("waits for an observer of the owner, who finds it by: vinculum label list --as NAME")
    else:
        out.print(f"{id_} waits for another observer of your organisation:", markup=False, soft_wrap=True)
        out.print(f"  vinculum label approve {id_} --as NAME", markup=False, soft_wrap=True)


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
    observer: AsActor,
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
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as exc:
        raise InvalidData("a value as YAML writes it", "something else", path=f"--set {part.strip():.40}") from exc


@consent_app.command("add")
def consent_add(
    use: Annotated[str, typer.Option("--for", help=f"One of {', '.join(Use)}.")],
    to: Annotated[str, typer.Option(help="The number of the proceeding, or the organisation that it is passed on to.")],
    reference: Annotated[str, typer.Option(help="The document that says so.")],
    observer: Annotated[
        str, typer.Option("--as", metavar="NAME", help="The observer who records it, for their own organisation.")
    ],
    json: AsJson = False,
) -> None:
    """Record that your organisation lets what it owns be used further: for good, nothing takes it back."""
    with open_pipeline() as pipeline:
        made = pipeline.record_consent(pipeline.find_observer(observer), _read_use(use), to, reference)
    if json:
        print_json(consent_document(made))
    else:
        out.print(f"{made.owner} lets what it owns be used for {made.use} to {made.to}", markup=False)


def export(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids as shown by search, entity or GraphQL.")],
    use: Annotated[str, typer.Option("--for", help=f"One of {', '.join(Use)}.")],
    to: Annotated[str, typer.Option(help="The number of the proceeding, or the organisation that it is passed on to.")],
    observer: Annotated[
        str, typer.Option("--as", metavar="NAME", help="The observer who takes it out: never more than they are shown.")
    ],
    tier: Annotated[str, typer.Option(help="The recipient's tier, for a release.")] = "liaison",
    json: AsJsonAlways = True,
) -> None:
    """Take entities out, as one JSON document, without what their handling codes keep back.

    Without a recorded consent of its owner H1 is refused for a court, H2 and H3 for a court and for a release. A
    release holds what both you and the recipient may have, never more than you are shown, and says what is withheld
    from the recipient; how many entities nothing leaves of is said to you alone, on standard error.
    """
    del json
    with open_pipeline() as pipeline:
        recipient = _make_recipient(to, tier, pipeline.policy) if _read_use(use) is Use.RELEASE else None
        made = pipeline.export(pipeline.find_observer(observer), ids, _read_use(use), to, recipient)
    print_json(export_document(made))
    if made.left_out:
        err.print(f"{made.left_out} of {made.left_out + len(made.entities)} are not in it: refused, or not for {to}")


def _make_recipient(organisation: str, tier: str, policy: Policy) -> Observer:
    tiers = policy.tiers
    if tier not in tiers:
        raise typer.BadParameter(f"expected one of {', '.join(tiers)}", param_hint="--tier")
    return Observer(organisation, organisation, tier, purpose=tiers[tier].purpose)


def _read_use(use: str) -> Use:
    if use not in list(Use):
        raise typer.BadParameter(f"expected one of {', '.join(Use)}", param_hint="--for")
    return Use(use)
