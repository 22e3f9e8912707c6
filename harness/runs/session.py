"""The sitting in which endpoints are asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.digest import digest_json
from harness.engines.versions import installed
from harness.runs.plan import EndpointGroup, Plan, plan_digest
from harness.runs.samples import Sample
from harness.runs.store import CompletionStore


class Session:
    """What stands in for a version of the servers of a plan: the one sitting in which they were asked.

    Nobody can say whether a server still has the weights that it had yesterday. So answers of a session are used to
    resume that session and for nothing else, by the same rule that keeps two versions of vLLM apart. All endpoints of
    a comparison share one: when the candidate's server breaks off, the base is not asked again.
    """

    def __init__(self, plan: Plan, store: CompletionStore, *, fresh: bool) -> None:
        keys = sorted(
            asked.request.key
            for group in plan.endpoints
            for member in group.members
            for asked in plan.candidates[member].asked
        )
        self._plan, self._store = plan, store
        self._asked = digest_json([plan_digest(plan), [group.endpoint.digest for group in plan.endpoints], keys])
        self._name = store.session(self._asked, fresh=fresh) if plan.endpoints else ""

    def version(self, group: EndpointGroup) -> str:
        """What is recorded beside each completion of an endpoint."""
        return f"{installed()['openai']} (openai, {group.endpoint.label}, session {self._name})"

    def answered(self, samples: Mapping[int, Sequence[Sample]]) -> None:
        """Everything was asked: the session is over, unless so much failed that it will be run again.

        Args:
            samples: by index of candidate.
        """
        far = [sample for group in self._plan.endpoints for member in group.members for sample in samples[member]]
        allowed = {loaded.task.name: loaded.task.max_error_rate for loaded in self._plan.tasks}
        counts = Counter(sample.task for sample in far)
        failed = Counter(sample.task for sample in far if sample.error)
        if far and all(failed[task] <= allowed[task] * counts[task] for task in failed):
            self._store.end_session(self._asked)
