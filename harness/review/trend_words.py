"""The texts of the page Trends, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.review.trends import Break, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendWords:
    """The texts of one language."""

    lead: str
    suite: str
    asked: str
    whole: str
    limited: str
    parts: Mapping[str, str]
    follow: str
    follow_none: str
    band: str
    steps: Mapping[Step, str]
    breaks: Mapping[Break, str]
    broken: str
    released: str
    score: str
    base: str
    against_before: str
    against_base: str
    unpaired: str
    batching: str
    engine_changed: str
    one_point: str
    older: str
    history: str
    when: str
    candidate: str
    task: str
    step: str
    shown: str


EN = TrendWords(
    lead="The scores of a suite over time. A step inside the noise is not news.",
    suite="Suite",
    asked="Items",
    whole="all items",
    limited="at most {limit:,} items a task",
    parts={"dev": "dev half (checkpoints)", "test": "test half"},
    follow="Candidates",
    follow_none="Choose at least one candidate.",
    band="The wedge from each point is its noise: where the next one would not differ. Filled points left it. "
    "Short bars are the base. Only what asked the same items and scored them in the same way is joined.",
    steps={
        "better": "better than before",
        "worse": "worse than before",
        "noise": "within noise",
        "first": "first",
        "apart": "not comparable",
    },
    breaks={
        "suite": "suite edited",
        "scorer": "scored otherwise",
        "goldset": "gold set changed",
        "settings": "asked otherwise",
        "unknown": "answers gone",
    },
    broken="line breaks: {why}",
    released="released",
    score="Score (%)",
    base="base",
    against_before="against before",
    against_base="against the base",
    unpaired="the answers of one side were pruned, so the interval is the wide one of two differences from the base",
    batching="another batching alone moves this score by up to {size}",
    engine_changed="engine changed: {change}",
    one_point="One point so far. Compare the next candidate on this suite and its step appears here:",
    older="{count:,} older points are not drawn",
    history="All steps",
    when="When (UTC)",
    candidate="Candidate",
    task="Task",
    step="Step",
    shown="{first:,}–{last:,} of {total:,}",
)

ZH = TrendWords(
    lead="同一套件随时间的得分。落在波动之内的变化不是新闻。",
    suite="套件",
    asked="题目",
    whole="全部题目",
    limited="每个任务最多 {limit:,} 题",
    parts={"dev": "开发半集（检查点）", "test": "测试半集"},
    follow="候选",
    follow_none="请至少选择一个候选。",
    band="每个点引出的楔形是它的波动范围：下一点落在其中即无差别，落在其外则为实心点。短横线是基座。只有题目和评分方式都相同的点才会连线。",
    steps={
        "better": "比之前好",
        "worse": "比之前差",
        "noise": "波动之内",
        "first": "首个",
        "apart": "不可比",
    },
    breaks={
        "suite": "套件已修改",
        "scorer": "评分方式不同",
        "goldset": "题集已变",
        "settings": "提问方式不同",
        "unknown": "回答已清理",
    },
    broken="断线：{why}",
    released="已发布",
    score="得分（%）",
    base="基座",
    against_before="与之前相比",
    against_base="与基座相比",
    unpaired="其中一侧的回答已清理，只能用两次相对基座的差异估算，区间较宽",
    batching="仅换批次就能使该得分变动至多 {size}",
    engine_changed="引擎已变：{change}",
    one_point="目前只有一个点。用该套件比较下一个候选后，变化会显示在这里：",
    older="更早的 {count:,} 个点未画出",
    history="全部步骤",
    when="时间（UTC）",
    candidate="候选",
    task="任务",
    step="变化",
    shown="第 {first:,}–{last:,} 条，共 {total:,} 条",
)
