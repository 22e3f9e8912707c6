"""From measured rounds to the numbers that are reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from harness.bench.measuring import Measured, Round
from harness.bench.results import Against, ErrorCount, Estimate, LevelResult, Quantiles, Ratio, Speed
from harness.bench.statistics import QUANTILES, Between, median, over_rounds, percentile, ratio
from harness.comparison.statistics.significance import holm

#: Different reasons that are told; the rest are counted together.
REASONS = 5

Time = Callable[[Measured], float | None]


def first_token(one: Measured) -> float | None:
    """Seconds to the first text."""
    return one.first


def per_token(one: Measured) -> float | None:
    """Seconds from one token to the next."""
    return one.per_token


def latency(one: Measured) -> float | None:
    """Seconds to the end of the answer."""
    return one.total


def level_result(
    concurrency: int, rounds: Sequence[Round], *, planned: int, gpus: int | None, alpha: float
) -> LevelResult:
    """One level of one deployment.

    Args:
        planned: requests that should have been sent in all rounds together.
        gpus: None where it is not known.
    """
    requests = [one for round_ in rounds for one in round_.requests]
    answered = [one for one in requests if not one.error]
    held = [one.held_back for one in answered if one.held_back is not None]
    tokens = over_rounds(_tokens(rounds), alpha=alpha) if answered else None
    sent = len(requests)
    return LevelResult(
        concurrency=concurrency,
        planned=planned,
        answered=len(answered),
        errors=sent - len(answered),
        unsent=planned - sent,
        reasons=_reasons(requests),
        error_rate=(sent - len(answered)) / sent if sent else None,
        requests_per_second=_estimate(over_rounds(_rates(rounds), alpha=alpha)) if answered else None,
        output_tokens_per_second=_estimate(tokens),
        tokens_per_second_per_gpu=tokens.value / gpus if tokens and gpus else None,
        first_token=_quantiles(answered, first_token, alpha),
        per_token=_quantiles(answered, per_token, alpha),
        latency=_quantiles(answered, latency, alpha),
        output_tokens=sum(one.tokens for one in answered) / len(answered) if answered else None,
        held_back=sum(held) / len(held) if held else None,
        client_busy=max((round_.busy for round_ in rounds), default=0.0),
    )


def against(rounds: Sequence[Sequence[Sequence[Round]]], *, alpha: float) -> list[list[Against | None]]:
    """Every deployment against the first, level by level; None for the first itself.

    Args:
        rounds: by deployment, level and round.
    """
    first = rounds[0]
    drafts: list[list[Against | None]] = [
        [_against(ours, theirs, alpha) if number else None for ours, theirs in zip(deployment, first, strict=True)]
        for number, deployment in enumerate(rounds)
    ]
    ps = {
        (d, c): found.output_tokens_per_second.p if found.output_tokens_per_second else None
        for d, levels in enumerate(drafts)
        for c, found in enumerate(levels)
        if found is not None
    }
    adjusted = holm(ps)
    return [
        [found and _with_verdict(found, adjusted[d, c], alpha) for c, found in enumerate(levels)]
        for d, levels in enumerate(drafts)
    ]


def _against(ours: Sequence[Round], theirs: Sequence[Round], alpha: float) -> Against:
    def of(numbers: Callable[[Sequence[Round]], Sequence[float | None]]) -> Ratio | None:
        # A deployment that was given up has fewer rounds; what both have is compared.
        pairs = min(len(ours), len(theirs))
        found = ratio(numbers(ours)[:pairs], numbers(theirs)[:pairs], alpha=alpha)
        return Ratio(value=found.value, low=found.low, high=found.high, p=found.p) if found else None

    return Against(
        requests_per_second=of(_rates),
        output_tokens_per_second=of(_tokens),
        first_token=of(lambda rounds: _medians(rounds, first_token)),
        per_token=of(lambda rounds: _medians(rounds, per_token)),
        latency=of(lambda rounds: _medians(rounds, latency)),
    )


def _with_verdict(found: Against, p: float | None, alpha: float) -> Against:
    rate = found.output_tokens_per_second
    speed: Speed = "not shown"
    if rate is not None and p is not None and p <= alpha:
        speed = "faster" if rate.value > 1 else "slower"
    return found.model_copy(update={"p_adjusted": p, "speed": speed})


def _rates(rounds: Sequence[Round]) -> list[float]:
    return [len(round_.answered) / round_.seconds for round_ in rounds]


def _tokens(rounds: Sequence[Round]) -> list[float]:
    return [round_.tokens / round_.seconds for round_ in rounds]


def _medians(rounds: Sequence[Round], time: Time) -> list[float | None]:
    return [median(_times(round_.answered, time)) for round_ in rounds]


def _times(requests: Sequence[Measured], time: Time) -> list[float]:
    return [found for one in requests if (found := time(one)) is not None]


def _quantiles(requests: Sequence[Measured], time: Time, alpha: float) -> Quantiles | None:
    values = _times(requests, time)
    found = [_estimate(percentile(values, q, alpha=alpha)) for q in QUANTILES]
    p50, p95, p99 = found
    return None if p50 is None or p95 is None or p99 is None else Quantiles(n=len(values), p50=p50, p95=p95, p99=p99)


def _estimate(found: Between | None) -> Estimate | None:
    return None if found is None else Estimate(value=found.value, low=found.low, high=found.high)


def _reasons(requests: Sequence[Measured]) -> tuple[ErrorCount, ...]:
    counted = Counter(one.error for one in requests if one.error).most_common()
    told = [ErrorCount(why=why, count=count) for why, count in counted[:REASONS]]
    if rest := sum(count for _, count in counted[REASONS:]):
        told.append(ErrorCount(why=f"{len(counted) - REASONS} other reasons", count=rest))
    return tuple(told)
