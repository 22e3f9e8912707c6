"""Why a judge may be partial: it judges itself, or its family (Panickssery et al. 2024, "LLM evaluators recognize and
favor their own generations").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.candidates.candidate import Candidate, EndpointCandidate, ModelCandidate
from harness.candidates.fingerprint import fingerprint
from harness.judge.asking import JudgeOutputs
from harness.judge.pairs import Pairs
from harness.judge.results import JudgeRecord
from harness.runs.files import CandidateRecord

_FAMILIES = re.compile(
    r"qwen|qwq|llama|gpt|claude|gemini|gemma|deepseek|glm|mi[sx]tral|baichuan|internlm|yi(?=[-_\d])|phi|doubao|ernie|"
    r"hunyuan|kimi|moonshot|minicpm",
    re.IGNORECASE,
)


def judge_records(judges: Sequence[Candidate], said: JudgeOutputs, pairs: Pairs) -> tuple[JudgeRecord, ...]:
    """Who judged, and what may make them partial."""
    return tuple(
        JudgeRecord(
            name=judge.name, digest=digest, engine=engine, engine_version=version, itself=_partial(judge, pairs)
        )
        for judge, digest, (engine, version) in zip(judges, said.digests, said.engines, strict=True)
    )


def _partial(judge: Candidate, pairs: Pairs) -> str:
    sides = {"base": pairs.base_record, "candidate": pairs.candidate_record}
    if isinstance(judge, ModelCandidate):
        own = fingerprint(judge)
        if same := [side for side, record in sides.items() if record.model == own.model]:
            return f"it has the weights of {' and '.join(same)}"
        names = f"{judge.name} {judge.model.name}"
    else:
        names = judge.endpoint.model if isinstance(judge, EndpointCandidate) else judge.name
    families = {found.lower() for found in _FAMILIES.findall(names)}
    if same := [side for side, record in sides.items() if families & _families(record)]:
        return f"it is of the family of {' and '.join(same)} ({', '.join(sorted(families))})"
    return ""


def _families(record: CandidateRecord) -> set[str]:
    return {found.lower() for found in _FAMILIES.findall(f"{record.name} {record.path.rstrip('/').rpartition('/')[2]}")}
