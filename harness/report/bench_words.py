"""The words of a bench of deployments, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from harness.bench.results import NoteCode, Speed
from harness.report.words import Language


@dataclass(frozen=True)
class BenchWords:
    """Everything that the report of a bench says; placeholders in braces."""

    language: Language
    title: str
    deployment: str
    concurrency: str
    requests: str
    tokens: str
    ratio: str
    first_token: str
    per_token: str
    latency: str
    per_gpu: str
    errors: str
    quality: str
    first: str
    no_quality: str
    unknown: str
    none: str
    speeds: dict[Speed, str]
    load: str
    rounds: str
    tokens_at_most: str
    to_the_end: str
    legend: str
    legend_quality: str
    footer: str
    reasons: str
    starting: str
    measured: str
    notes: dict[NoteCode, str]


EN = BenchWords(
    language="en",
    title="{suite}: {count} deployments under load",
    deployment="deployment",
    concurrency="in flight",
    requests="requests/s",
    tokens="output tokens/s",
    ratio="× first",
    first_token="TTFT p50/p95/p99 ms",
    per_token="TPOT p50/p95/p99 ms",
    latency="latency p50/p95/p99 s",
    per_gpu="tokens/s/GPU",
    errors="errors",
    quality="quality (Δ points [{level} CI])",
    first="compared with",
    no_quality="not measured",
    unknown="unknown",
    none="no GPU",
    speeds={"faster": "▲ faster", "slower": "▼ slower", "not shown": "= not shown"},
    load="{rounds} of {requests} requests at {levels} in flight",
    rounds="{count} rounds",
    tokens_at_most="at most {count} tokens an answer",
    to_the_end="answers go on to their limit",
    legend="[{level} CI] of rates and ratios: Student's t over rounds, in which deployments take turns; "
    "faster/slower: output tokens/s, Holm over all levels. Percentiles: all requests, linear (type 7); their "
    "intervals are in the JSON",
    legend_quality="quality: paired with the first deployment, item by item; comparison {comparison}",
    footer="bench {id}, load {load}, seed {seed}, harness {version}; client: {client}",
    reasons="{name}, {concurrency} in flight: {count} × {why}",
    starting="starting a server of the weights that are here … {seconds:.0f} s",
    measured="round {number}/{rounds}, {concurrency} in flight, {name}: {tokens:,.0f} tokens/s, {errors} errors, "
    "{seconds:.1f} s",
    notes={
        "pieces": "{name}: the server does not count tokens; each piece of its stream is taken for one",
        "one-piece": "{name}: answers come in one piece, so TTFT and TPOT are not known",
        "unfit": "{name}: {count} questions do not fit its window and were not sent",
        "client": "{name}, {concurrency} in flight: this client computed {busy:.0%} of the time: it may be the client "
        "that was measured, not the server",
        "rounds": "one round: nothing can be said about how much the numbers vary (--rounds 5)",
        "repeated": "the suite's questions were asked as they are: a server that keeps prefixes is faster than in life",
        "unsent": "{name}, {concurrency} in flight: {count} requests were given up after too many failures in a row",
        "limits": "{name}: the limits a minute of harness.yaml are not kept under load; refusals count as errors",
        "lengths": "{name} answers at another length than the first: {ours:.1f} against {theirs:.1f} tokens; latency "
        "and requests/s are not of the same work (--ignore-eos makes it so)",
        "no-gpus": "{name}: how many GPUs answer there is not known (gpus: under endpoint: in harness.yaml)",
        "no-success": "{name}, {concurrency} in flight: no request succeeded: {why}",
        "bursts": "{name}, {concurrency} in flight: the tokens of {share:.0%} of the answers came together; TTFT and "
        "TPOT tell of the buffering of a proxy or a busy server, and latency of the model",
        "quality-errors": "more answers to the suite failed than its tasks allow",
    },
)

ZH = BenchWords(
    language="zh",
    title="{suite}：{count} 个部署的压测",
    deployment="部署",
    concurrency="并发",
    requests="请求/秒",
    tokens="输出 token/秒",
    ratio="× 第一个",
    first_token="TTFT p50/p95/p99 毫秒",
    per_token="TPOT p50/p95/p99 毫秒",
    latency="延迟 p50/p95/p99 秒",
    per_gpu="token/秒/GPU",
    errors="错误",
    quality="质量（Δ 百分点 [{level} 区间]）",
    first="作为对照",
    no_quality="没有测",
    unknown="未知",
    none="无 GPU",
    speeds={"faster": "▲ 更快", "slower": "▼ 更慢", "not shown": "= 看不出差别"},
    load="{rounds}，每轮 {requests} 个请求，并发 {levels}",
    rounds="{count} 轮",
    tokens_at_most="每个回答最多 {count} 个 token",
    to_the_end="回答一直生成到上限",
    legend="速率和比值的 [{level} 区间]：按轮做的 t 区间，各部署轮流测；"
    "更快/更慢：看输出 token/秒，对所有并发做 Holm 校正。百分位：全部请求，线性插值（第 7 型），区间见 JSON",
    legend_quality="质量：逐题与第一个部署配对；比较 {comparison}",
    footer="压测 {id}，负载 {load}，种子 {seed}，harness {version}；客户端：{client}",
    reasons="{name}，并发 {concurrency}：{count} × {why}",
    starting="正在用本机权重启动服务…… {seconds:.0f} 秒",
    measured="第 {number}/{rounds} 轮，并发 {concurrency}，{name}：{tokens:,.0f} token/秒，{errors} 个错误，"
    "{seconds:.1f} 秒",
    notes={
        "pieces": "{name}：服务不报 token 数；流里的每一块算一个 token",
        "one-piece": "{name}：回答一次性返回，TTFT 和 TPOT 无从得知",
        "unfit": "{name}：{count} 个问题超出它的窗口，没有发送",
        "client": "{name}，并发 {concurrency}：客户端有 {busy:.0%} 的时间在计算，测到的可能是客户端而不是服务",
        "rounds": "只有一轮：数字会波动多少无从得知（--rounds 5）",
        "repeated": "原样问了题集里的问题：保留前缀缓存的服务会比实际更快",
        "unsent": "{name}，并发 {concurrency}：连续失败太多，{count} 个请求没有再发",
        "limits": "{name}：压测时不遵守 harness.yaml 里的每分钟限额；被拒绝的算作错误",
        "lengths": "{name} 的回答长度与第一个不同：{ours:.1f} 对 {theirs:.1f} 个 token；延迟和请求/秒比的不是同样的工作"
        "（--ignore-eos 可使其相同）",
        "no-gpus": "{name}：不知道那里有几块 GPU（harness.yaml 的 endpoint: 下写 gpus:）",
        "no-success": "{name}，并发 {concurrency}：没有一个请求成功：{why}",
        "bursts": "{name}，并发 {concurrency}：{share:.0%} 的回答里 token 是一起到的；TTFT 和 TPOT 反映的是代理或"
        "繁忙服务的缓冲，延迟才反映模型",
        "quality-errors": "题集里失败的回答比任务允许的多",
    },
)


def bench_words(language: Language) -> BenchWords:
    return ZH if language == "zh" else EN
