"""Every text of the reports, in English and Chinese.

`Words` is one language. A text with `{names}` is filled in with `str.format`; the tests hold both languages to the same
names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.comparison.repeats import Narrows
    from harness.comparison.results import TaskResult
    from harness.comparison.statistics.verdict import NoteCode, Role, Verdict
    from harness.doctor.finding import Status

Language = Literal["en", "zh"]
Requirement = Literal["improve", "hold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of one language."""

    language: Language
    verdicts: Mapping[Verdict, str]
    roles: Mapping[Role, str]
    requirements: Mapping[Requirement, str]
    statuses: Mapping[Status, str]
    notes: Mapping[NoteCode, str]
    narrows: Mapping[Narrows, str]

    # Headings and columns
    title: str
    verdict: str
    task: str
    role: str
    metric: str
    base: str
    candidate: str
    delta: str
    p_adjusted: str
    items: str
    flips: str
    noise: str
    mde: str
    note: str
    doctor: str
    explained: str
    slices: str
    lost: str
    gained: str
    question: str
    gold: str
    conclusion: str
    gate: str
    details: str
    other_metrics: str
    over_repeats: str
    pass_at: str
    majority: str
    item: str
    signature: str
    language_name: str

    # Sentences
    prompts_differ: str
    uninformative: str
    blind_slices: str
    p_note: str
    flips_note: str
    flip_counts: str
    mde_note: str
    noise_note: str
    variance_note: str
    error_note: str
    counts_note: str
    errors: str
    missing: str
    unscored: str
    unextracted: str
    unpaired_note: str
    nothing_lost: str
    more_not_shown: str
    more_candidates: str
    shortened: str
    gate_passed: str
    gate_failed: str
    gate_inconclusive: str
    gate_incomplete: str
    reason_verdict: str
    reason_inconclusive: str
    reason_incomplete: str
    reason_doctor: str
    asked: str
    limited: str
    repeats: str
    temperature: str
    no_text: str
    footer: str

    # The conclusion in one sentence
    join: str
    list_join: str
    end: str
    says_improved_target: str
    says_improved_guard: str
    says_regressed_target: str
    says_regressed_guard: str
    says_held_target: str
    says_held_guard: str
    says_inconclusive: str
    says_identical: str
    says_incomplete: str
    says_doctor: str
    with_interval: str
    with_note: str

    # While running
    plan: str
    plan_items: str
    plan_cached: str
    plan_missing: str
    plan_engine: str
    plan_recorded: str
    plan_time: str
    plan_time_unknown: str
    plan_nothing: str
    engine_starting: str
    engine_started: str
    charged: str
    pace: str
    stored_at: str

    def note_of(self, result: TaskResult) -> str:
        """The reason of a verdict in this language."""
        for code, text in self.notes.items():
            if code == result.note_code and code:
                return text.format(**result.note_params)
        return result.note


EN = Words(
    language="en",
    verdicts={
        "improved": "improved",
        "held": "held",
        "regressed": "regressed",
        "inconclusive": "inconclusive",
    },
    roles={"target": "target", "guard": "guard"},
    requirements={"improve": "had to improve", "hold": "had to hold"},
    statuses={"pass": "pass", "warn": "warning", "fail": "failed", "skip": "skipped"},
    notes={
        "nothing_to_compare": "nothing to compare",
        "identical": "same answers",
        "identical_floor": "same answers; uninformative: both sides sit at the floor ({floor:.2f}), no loss could show",
        "identical_ceiling": "same answers; uninformative: both sides sit at the ceiling ({ceiling:.2f}), "
        "no gain could show",
        "identical_rescored": "same answers, scored differently ({delta:+.3f}): the scorer is not repeatable",
        "worse_within_margin": "worse within margin",
        "uninformative_floor": "uninformative: both sides sit at the floor ({floor:.2f}), no loss could show",
        "uninformative_ceiling": "uninformative: both sides sit at the ceiling ({ceiling:.2f}), no gain could show",
        "more_items": "about {items:,} more items would decide it",
        "no_number_decides": "no realistic number of items would decide it at this difference",
        "nothing_right": "neither side scores anything: look at the answers and at the prompt format",
    },
    narrows={
        "repeats": "more repeats would narrow the interval: twice as many by about {double}, without end by about "
        "{endless}; twice the items by about {items}",
        "items": "only more items would narrow the interval much: twice as many by about {items}; twice the repeats by "
        "about {double}, without end by about {endless}",
    },
    title="{suite}: {base} → {candidate}",
    verdict="verdict",
    task="task",
    role="role",
    metric="metric",
    base="base",
    candidate="candidate",
    delta="Δ points [{level} CI]",
    p_adjusted="p adj.",
    items="n",
    flips="gained/lost",
    noise="noise",
    mde="smallest visible",
    note="note",
    doctor="Doctor",
    explained="what it means: harness candidates doctor --explain {probe}",
    slices="Where it changed",
    lost="Lost: the base was right, the candidate is not",
    gained="Gained: the candidate is right, the base was not",
    question="question",
    gold="gold answer",
    conclusion="Conclusion",
    gate="Gate",
    details="Details",
    other_metrics="Other metrics (no verdict)",
    over_repeats="Over {count} answers to each item (no verdict)",
    pass_at="pass@{k}",
    majority="majority@{k}",
    item="item",
    signature="signature",
    language_name="English",
    prompts_differ="The two sides were prompted in different formats (each in its own; --prompt suite forces one).",
    uninformative="uninformative",
    blind_slices="{task}: uninformative difficulty: {slices}",
    p_note="p adj. {p}",
    flips_note="{gained} gained, {lost} lost",
    flip_counts="+{gained} −{lost}",
    mde_note="{n:,} items could show a difference of {mde} points",
    noise_note="noise {noise}",
    variance_note="variance between items {base_between} → {candidate_between}, among the answers to one item "
    "{base_within} → {candidate_within}",
    error_note="standard error of Δ {se} points, {items} by the items and {repeats} by the draws (the squares add up)",
    counts_note="{what}: {base} base, {candidate} candidate",
    errors="failed answers",
    missing="missing answers",
    unscored="unscored answers",
    unextracted="answers without anything to score",
    unpaired_note="{count:,} items without a partner are left out",
    nothing_lost="No item was lost.",
    more_not_shown="and {count:,} more",
    more_candidates="and {count:,} more candidates",
    shortened="Shortened to what a comment may hold; the HTML report has everything.",
    gate_passed="passed",
    gate_failed="failed",
    gate_inconclusive="inconclusive",
    gate_incomplete="incomplete",
    reason_verdict="{task}: {verdict}, {requirement}",
    reason_inconclusive="{task}: inconclusive ({note})",
    reason_incomplete="{task}: answers missing, failed or unscored: {base} of the base, {candidate} of the candidate "
    "(allowed: {allowed} of {asked:,})",
    reason_doctor="doctor: {probe}: {detail}",
    asked="engine {engine}, seed {seed}, alpha {alpha:g}",
    limited="at most {limit:,} items a task",
    repeats="{count} answers to each item",
    temperature="temperature {temperature:g}",
    no_text="(the text is not in the store)",
    footer="comparison {id}, harness {version}",
    join="; ",
    list_join=", ",
    end=".",
    says_improved_target="better on {tasks}",
    says_improved_guard="better on the guard {tasks}",
    says_regressed_target="worse on {tasks}",
    says_regressed_guard="lost general ability on {tasks}",
    says_held_target="no improvement shown on {tasks}",
    says_held_guard="held {tasks}",
    says_inconclusive="cannot tell on {tasks}",
    says_identical="gives the same answers as the base",
    says_incomplete="incomplete on {tasks}, so nothing below is final",
    says_doctor="the doctor failed {probes}, so do not trust the scores yet",
    with_interval="{task} ({delta} points, {level} CI {low} to {high})",
    with_note="{task} ({note})",
    plan="Plan",
    plan_items="{count:,} items",
    plan_cached="{count:,} stored",
    plan_missing="{count:,} to generate",
    plan_engine="engine: {engine} ({reason})",
    plan_recorded="recorded",
    plan_time="estimated time: {time}",
    plan_time_unknown="estimated time: not known yet, this machine has not run this model",
    plan_nothing="Every answer is stored.",
    engine_starting="starting {engine} …",
    engine_started="{engine} is up after {time}",
    charged="{answers:,} answers cost {cost:.4g}, by the prices in harness.yaml",
    pace="{rate:.1f}/s, {left} left  {scores}",
    stored_at="stored as {id} in {store}",
)

ZH = Words(
    language="zh",
    verdicts={
        "improved": "提升",
        "held": "持平",
        "regressed": "退步",
        "inconclusive": "无法判定",
    },
    roles={"target": "目标", "guard": "守护"},
    requirements={"improve": "要求提升", "hold": "要求不退步"},
    statuses={"pass": "通过", "warn": "警告", "fail": "未通过", "skip": "跳过"},
    notes={
        "nothing_to_compare": "没有可比较的题目",
        "identical": "回答完全相同",
        "identical_floor": "回答完全相同；无信息量：双方都在下限（{floor:.2f}），看不出退步",
        "identical_ceiling": "回答完全相同；无信息量：双方都在上限（{ceiling:.2f}），看不出提升",
        "identical_rescored": "回答相同但得分不同（{delta:+.3f}）：评分器不可重复",
        "worse_within_margin": "变差，但在容许范围之内",
        "uninformative_floor": "无信息量：双方都在下限（{floor:.2f}），看不出退步",
        "uninformative_ceiling": "无信息量：双方都在上限（{ceiling:.2f}），看不出提升",
        "more_items": "大约再有 {items:,} 题即可判定",
        "no_number_decides": "以目前的差异，现实可行的题量都无法判定",
        "nothing_right": "双方一题也没答对：请看看回答内容和提示格式",
    },
    narrows={
        "repeats": "增加重复次数能缩窄区间：翻倍约缩窄 {double}，无限增加约缩窄 {endless}；题数翻倍约缩窄 {items}",
        "items": "只有增加题数才能明显缩窄区间：翻倍约缩窄 {items}；"
        "重复次数翻倍约缩窄 {double}，无限增加约缩窄 {endless}",
    },
    title="{suite}：{base} → {candidate}",
    verdict="结论",
    task="任务",
    role="角色",
    metric="指标",
    base="基座",
    candidate="候选",
    delta="Δ 百分点 [{level} 区间]",
    p_adjusted="校正 p",
    items="题数",
    flips="新对/新错",
    noise="噪声",
    mde="最小可见差异",
    note="说明",
    doctor="体检",
    explained="含义与处理办法：harness candidates doctor --explain {probe}",
    slices="变化在哪里",
    lost="丢分题：基座答对，候选答错",
    gained="得分题：候选答对，基座答错",
    question="题目",
    gold="标准答案",
    conclusion="总结",
    gate="门禁",
    details="明细",
    other_metrics="其他指标（不作判定）",
    over_repeats="每题 {count} 次回答（不作判定）",
    pass_at="pass@{k}",
    majority="多数票@{k}",
    item="题目编号",
    signature="评分签名",
    language_name="中文",
    prompts_differ="两侧使用了不同的提示格式（各用各的；--prompt suite 可强制统一）。",
    uninformative="无信息量",
    blind_slices="{task}：无信息量的难度：{slices}",
    p_note="校正 p {p}",
    flips_note="新对 {gained}，新错 {lost}",
    flip_counts="+{gained} −{lost}",
    mde_note="{n:,} 题能看出 {mde} 个百分点的差异",
    noise_note="噪声 {noise}",
    variance_note="题目之间的方差 {base_between} → {candidate_between}，"
    "同一题各次回答之间 {base_within} → {candidate_within}",
    error_note="Δ 的标准误 {se} 个百分点，其中题目 {items}、采样 {repeats}（平方相加）",
    counts_note="{what}：基座 {base}，候选 {candidate}",
    errors="失败的回答",
    missing="缺失的回答",
    unscored="未能评分的回答",
    unextracted="提取不到答案的回答",
    unpaired_note="{count:,} 题没有配对，未计入",
    nothing_lost="没有丢分题。",
    more_not_shown="另有 {count:,} 题",
    more_candidates="另有 {count:,} 个候选",
    shortened="评论放不下，已缩短；完整内容见 HTML 报告。",
    gate_passed="通过",
    gate_failed="未通过",
    gate_inconclusive="无法判定",
    gate_incomplete="未完成",
    reason_verdict="{task}：{verdict}，{requirement}",
    reason_inconclusive="{task}：无法判定（{note}）",
    reason_incomplete="{task}：缺失、失败或未评分的回答：基座 {base}，候选 {candidate}"
    "（{asked:,} 题中最多允许 {allowed}）",
    reason_doctor="体检：{probe}：{detail}",
    asked="引擎 {engine}，种子 {seed}，alpha {alpha:g}",
    limited="每个任务最多 {limit:,} 题",
    repeats="每题回答 {count} 次",
    temperature="温度 {temperature:g}",
    no_text="（存储中没有原文）",
    footer="比较 {id}，harness {version}",
    join="；",
    list_join="、",
    end="。",
    says_improved_target="{tasks}提升",
    says_improved_guard="守护任务 {tasks} 提升",
    says_regressed_target="{tasks}退步",
    says_regressed_guard="通用能力下降：{tasks}",
    says_held_target="{tasks}未见提升",
    says_held_guard="{tasks} 持平",
    says_inconclusive="{tasks}无法判定",
    says_identical="与基座的回答完全相同",
    says_incomplete="{tasks} 未完成，以下结论都不是最终结论",
    says_doctor="体检未通过（{probes}），分数暂不可信",
    with_interval="{task}（{delta} 个百分点，{level} 区间 {low} 至 {high}）",
    with_note="{task}（{note}）",
    plan="计划",
    plan_items="{count:,} 题",
    plan_cached="已存 {count:,}",
    plan_missing="待生成 {count:,}",
    plan_engine="引擎：{engine}（{reason}）",
    plan_recorded="录制的回答",
    plan_time="预计用时：{time}",
    plan_time_unknown="预计用时：未知，本机还没有跑过这个模型",
    plan_nothing="所有回答都已存好。",
    engine_starting="正在启动 {engine} …",
    engine_started="{engine} 已启动，用时 {time}",
    charged="{answers:,} 个回答花费 {cost:.4g}（按 harness.yaml 里的价格）",
    pace="{rate:.1f} 题/秒，剩余 {left}  {scores}",
    stored_at="已存为 {id}，位于 {store}",
)


def words(language: Language) -> Words:
    """The texts of a language."""
    return ZH if language == "zh" else EN


def language_of(locale: str | None = None) -> Language:
    """The language of a locale name; by default of this process's environment (`LC_ALL`, then `LANG`)."""
    name = locale if locale is not None else os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if name.lower().startswith("zh") else "en"
