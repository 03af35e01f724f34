"""Explaining: why an observer's records are one thing, or not, from what they see alone."""

from collections.abc import Sequence
from dataclasses import replace

from graph.entities import latest_judgements
from graph.shown import Explanation, Weight
from graph.store import Reader, Scope
from graph.treat import Treater
from ontology.judgement import Judgement, Verdict
from ontology.pair import Pair, sum_weights
from ontology.record import Record


class Explaining:
    """Explains to one observer, whose View it is that asks."""

    def __init__(self, reader: Reader, scope: Scope, treater: Treater) -> None:
        self._reader = reader
        self._scope = scope
        self._treater = treater

    def explain(self, left: str, right: str, lefts: Sequence[Record], rights: Sequence[Record]) -> Explanation:
        """Say in bits why the current records of two things, shown under two ids, are one thing or not."""
        if lefts[0].thing == rights[0].thing:
            return Explanation(left, right, same=True, by="identifier")
        judged = self._judgement_on(lefts[0].thing, rights[0].thing)
        found = replace(
            self._explain_unjudged(left, right, lefts, rights),
            judged=self._treater.show_judgement(judged, (*lefts, *rights)) if judged else None,
        )
        if judged and judged.verdict in (Verdict.POSITIVE, Verdict.NEGATIVE):
            return replace(found, same=judged.verdict is Verdict.POSITIVE, by="judgement")
        return found

    def _judgement_on(self, one: str, other: str) -> Judgement | None:
        pair = (one, other) if one < other else (other, one)
        return latest_judgements(self._reader.judgements_of(self._scope, pair)).get(pair)

    def _explain_unjudged(
        self, left: str, right: str, lefts: Sequence[Record], rights: Sequence[Record]
    ) -> Explanation:
        keys = {key for r in lefts if (key := self._treater.comparable_key(r))}
        if keys & {key for r in rights if (key := self._treater.comparable_key(r))}:
            return Explanation(left, right, same=True, by="identifier")
        mine = {r.id: r for r in (*lefts, *rights)}
        found = [
            pair
            for pair in self._reader.pairs_of(self._scope, sorted(r.id for r in lefts))
            if pair.left in mine and pair.right in mine and mine[pair.left].thing != mine[pair.right].thing
            if self._treater.is_proposed(mine[pair.left], mine[pair.right], pair.keys)
            # Pairs are stored for what anybody could see in them: that one is there may not tell more than its own sum.
            if self._most(mine[pair.left], mine[pair.right], pair) >= pair.stop
        ]
        if not found:
            return Explanation(left, right, same=False, by="nothing")
        return max(
            (self._weigh(left, right, pair, mine) for pair in found),
            # Ties by what is seen of them: the order of pairs leans on ids, and those on hidden values.
            key=lambda e: (e.total or 0.0, e.model or "", [(w.comparison, w.weight, w.level) for w in e.weights]),
        )

    def _most(self, left: Record, right: Record, pair: Pair) -> float:
        """Return the most that the comparisons visible to the observer could add up to."""
        weights = (self._treater.weight(left, right, evidence) for evidence in pair.evidence)
        return sum_weights(pair.prior, (max(weight, 0.0) for weight in weights if weight is not None))

    def _weigh(self, left: str, right: str, pair: Pair, records: dict[str, Record]) -> Explanation:
        one, other = records[pair.left], records[pair.right]
        weights = tuple(
            Weight(evidence.comparison, weight, self._treater.level(one, other, evidence))
            for evidence in pair.evidence
            if (weight := self._treater.weight(one, other, evidence)) is not None
        )
        total = sum_weights(pair.prior, (w.weight for w in weights))
        return Explanation(
            left,
            right,
            same=total >= pair.stop,
            by="weights",
            model=pair.model,
            prior=pair.prior,
            stop=pair.stop,
            total=total,
            weights=weights,
        )
