"""lm-evaluation-harness, `--log_samples`: `samples_<task>_<time>.jsonl`.

Written by `save_results_samples` of lm_eval/loggers/evaluation_tracker.py (0.4.13) from what lm_eval/evaluator.py
gathers. Every leaf of `resps` is a text there, likelihoods included. The raw `resps` are read, not `filtered_resps`:
taking the answer out of a text is what scorers are for. A document stands once for every filter of its task, each time
with the same `resps`. `doc_id` is a position and joins nothing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.digest import digest_json
from harness.engines.recorded.dataset import id_of, question_of
from harness.engines.recorded.jsonl import json_objects
from harness.engines.recorded.record import Option, Record
from harness.engines.recorded.shape import Shape
from harness.errors import InputError
from harness.scorers.likelihoods import NOT_FINITE

_REMEDY = "Give a samples_….jsonl as lm-eval --log_samples wrote it."
_FILE_NAME = re.compile(r"samples_(?P<task>.+)_\d{4}-\d\d-\d\dT[\d.-]+\.jsonl")


class LmEvalSamples:
    """Generated texts (`generate_until`) and likelihoods of options (`multiple_choice`)."""

    name = "lm-eval samples"
    names_items = False

    def recognises(self, shape: Shape) -> bool:
        """True for lines with a document, arguments and responses."""
        return {"doc_id", "doc", "arguments", "resps"} <= shape.keys

    def read(self, path: Path) -> Iterator[Record]:
        """See `Reader.read`. Repeats of one document become records with `repeat` 0, 1, …"""
        named = _FILE_NAME.fullmatch(path.name)
        task = named["task"] if named else None
        seen: dict[Any, tuple[str, str | None, str]] = {}
        for where, value in json_objects(path, remedy=_REMEDY):
            try:
                responses, arguments = value["resps"], list(value["arguments"].values())
                digest = digest_json([responses, value.get("doc_hash")])
                key, how = value["doc_id"], value.get("filter")
                before = seen.get(key)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise InputError(f"is no line of lm-eval samples ({error})", where=where, remedy=_REMEDY) from None
            if before is not None:
                if before[0] == digest and before[1] != how:
                    continue
                raise InputError(
                    f"doc_id {key} stands here and at {before[2]}",
                    where=where,
                    remedy="Two runs have been written into one file; keep one of them.",
                )
            seen[key] = (digest, how, where)
            yield from _records(value, responses, arguments, task, where)


def _records(value: dict[str, Any], responses: Any, arguments: list[Any], task: str | None, where: str) -> list[Record]:
    document = value.get("doc")
    try:
        prompt, asked = arguments[0]["arg_0"], arguments[0].get("arg_1")
        common: dict[str, Any] = {
            "item_id": id_of(document),
            "task": task,
            "question": question_of(document),
            "prompt": _prompt(prompt),
        }
        if isinstance(asked, str):
            options = _options(arguments, responses, where)
            if all(math.isfinite(option.logprob) for option in options):
                return [Record(where, "", options=options, **common)]
            # lm-eval takes one of them all the same; asked by us, such a model has failed.
            return [Record(where, "", options=options, finish_reason="error", error=NOT_FINITE, **common)]
        if asked is None or len(arguments) != 1 or len(responses) != 1:
            raise InputError(
                "holds neither one generated text nor the likelihoods of options",
                where=where,
                remedy="Tasks of lm-eval with output_type generate_until or multiple_choice can be read.",
            )
        texts = responses[0]
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise TypeError("resps")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"is no line of lm-eval samples ({error!r})", where=where, remedy=_REMEDY) from None
    return [Record(where, text, repeat=repeat, **common) for repeat, text in enumerate(texts)]


def _options(arguments: list[Any], responses: Any, where: str) -> tuple[Option, ...]:
    """One for each continuation of the question; those of an empty prompt (for mutual information) are left out."""
    prompt = arguments[0]["arg_0"]
    asked = [(a["arg_1"], r) for a, r in zip(arguments, responses, strict=True) if a["arg_0"] == prompt]
    others = {json.dumps(a["arg_0"]) for a in arguments if a["arg_0"] != prompt}
    if len(asked) < 2 or len(others) > 1:
        raise InputError(
            "holds the likelihoods of one text after several prompts, not of several options after one",
            where=where,
            remedy="Tasks of lm-eval with output_type multiple_choice and one prompt can be read.",
        )
    # Each response is a list of repeats, each the sum of log-probabilities and whether it was the greedy choice.
    return tuple(Option(text.strip(), float(response[0][0])) for text, response in asked)


def _prompt(value: Any) -> str:
    """The prompt as text. For chat endpoints it is a JSON list of turns inside a list; the last user's is what counts.

    Few-shot examples go before the question, in one text or in turns of their own.
    """
    if isinstance(value, str):
        return value
    (text,) = value
    turns = json.loads(text)
    return str(next(turn["content"] for turn in reversed(turns) if turn["role"] == "user"))
