"""The texts of the dashboard that the reports do not have, in English and Chinese.

What both show (verdicts, roles, notes, the gate) comes from `harness.report.words`. A text with `{names}` is filled in
with `str.format`; the tests hold both languages to the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.report.words import Language
from harness.review import compare_words, live_words, training_words, trend_words
from harness.review.compare_words import CompareWords
from harness.review.faults import FaultKind
from harness.review.live_words import LiveWords
from harness.review.overview import Outlook
from harness.review.training_words import TrainingWords
from harness.review.trend_words import TrendWords


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWords:
    """The texts of one language."""

    product: str
    pages: Mapping[str, str]
    language: str
    store: str
    reload: str
    read_only: str

    # Entering
    token_title: str
    token_label: str
    token_wrong: str

    # Faults and empty places
    empty_title: str
    empty_text: str
    no_comparison: str
    faults_title: str
    faults: Mapping[FaultKind, str]
    runs_gone: str

    # Overview
    overview_lead: str
    outlooks: Mapping[Outlook, str]
    ability: str
    ability_lead: str
    ability_lost: str
    ability_unsure: str
    ability_kept: str
    ability_identical: str
    doctor_failed: str
    guards: str
    targets: str
    margin: str
    made: str
    older: str
    limited: str
    part: str
    items: str
    identical: str
    points: str
    to_compare: str

    compare: CompareWords
    live: LiveWords
    trends: TrendWords
    training: TrainingWords


EN = PageWords(
    product="Release review",
    pages={
        "overview": "Overview",
        "compare": "Compare",
        "trends": "Trends",
        "training": "Training",
        "label": "Label",
        "release": "Release review",
        "live": "Live",
    },
    language="Language",
    store="Store",
    reload="Reload",
    read_only="Read-only but for labels and sign-offs",
    token_title="This dashboard is protected",
    token_label="Token",
    token_wrong="That is not the token. It stands in the address that harness dashboard printed.",
    empty_title="The store is empty",
    empty_text="Make a first comparison; its answers and verdicts appear here:",
    no_comparison="There are runs here, and no comparison yet. Compare two runs on the page Compare, or with:",
    faults_title="{count} entries of the store cannot be shown; the others are not affected",
    faults={
        "newer": "written by a newer version ({detail}). Install it: {remedy}",
        "missing": "the file {detail} is missing. Run the same command again, or remove the folder",
        "damaged": "the file is damaged ({detail}). Run the same command again, or remove the folder",
    },
    runs_gone="Some of its runs were pruned: the numbers stand, their answers are gone.",
    overview_lead="The newest comparison of each suite.",
    outlooks={
        "doctor": "Do not trust the scores: the doctor failed",
        "lost_ability": "Lost general ability",
        "worse": "Worse on its target",
        "incomplete": "Incomplete",
        "unsure": "Cannot tell yet",
        "identical": "Identical to the base",
        "better": "Better, and nothing lost",
        "held": "No difference shown",
    },
    ability="General ability",
    ability_lead="Every guard of a candidate on one scale; the colour is the verdict. The shaded zone is what the "
    "suite allows to be lost: a guard is held when its whole interval lies to the right of the zone's left edge.",
    ability_lost="lost on {count} of {total} guards",
    ability_unsure="cannot tell on {count} of {total} guards",
    ability_kept="kept on all {total} guards",
    ability_identical="identical answers on all {total} guards",
    doctor_failed="The doctor failed {count}: do not trust these scores yet",
    guards="guards",
    targets="targets",
    margin="margin",
    made="made",
    older="{count} older",
    limited="at most {limit:,} items a task",
    part="only the {part} half of the items",
    items="items",
    identical="identical",
    points="points",
    to_compare="What flipped: the answers side by side",
    compare=compare_words.EN,
    live=live_words.EN,
    trends=trend_words.EN,
    training=training_words.EN,
)

ZH = PageWords(
    product="发布评审",
    pages={
        "overview": "总览",
        "compare": "对比",
        "trends": "趋势",
        "training": "训练",
        "label": "标注",
        "release": "发布评审",
        "live": "实时",
    },
    language="语言",
    store="存储",
    reload="刷新",
    read_only="除标注与签字外只读",
    token_title="此页面受保护",
    token_label="令牌",
    token_wrong="令牌不对。它在 harness dashboard 打印出的网址里。",
    empty_title="存储是空的",
    empty_text="先做一次比较，回答和结论就会出现在这里：",
    no_comparison="这里有运行记录，但还没有比较。可以在“对比”页比较两次运行，或执行：",
    faults_title="存储中有 {count} 项无法显示，其余不受影响",
    faults={
        "newer": "由更新的版本写成（{detail}）。请安装：{remedy}",
        "missing": "缺少文件 {detail}。请重新执行原来的命令，或删除该文件夹",
        "damaged": "文件已损坏（{detail}）。请重新执行原来的命令，或删除该文件夹",
    },
    runs_gone="部分运行已被清理：数字仍然有效，回答原文已不在。",
    overview_lead="每个套件最近一次比较。",
    outlooks={
        "doctor": "体检未通过，分数暂不可信",
        "lost_ability": "通用能力下降（降智）",
        "worse": "目标任务退步",
        "incomplete": "未完成",
        "unsure": "尚无法判定",
        "identical": "与基座完全相同",
        "better": "提升，且没有退步",
        "held": "未见差异",
    },
    ability="通用能力（降智）",
    ability_lead="候选模型的所有守护任务画在同一刻度上，颜色是结论。阴影是套件容许的退步范围："
    "区间整个在阴影左边缘以右才算持平。",
    ability_lost="{total} 个守护任务中有 {count} 个退步",
    ability_unsure="{total} 个守护任务中有 {count} 个无法判定",
    ability_kept="{total} 个守护任务全部保持",
    ability_identical="{total} 个守护任务的回答全部相同",
    doctor_failed="体检有 {count} 项未通过：以下分数暂不可信",
    guards="守护",
    targets="目标",
    margin="容许",
    made="时间",
    older="另有 {count} 次更早",
    limited="每个任务最多 {limit:,} 题",
    part="只用了 {part} 那一半题目",
    items="题",
    identical="相同",
    points="百分点",
    to_compare="哪些题翻转了：回答并排对照",
    compare=compare_words.ZH,
    live=live_words.ZH,
    trends=trend_words.ZH,
    training=training_words.ZH,
)


def page_words(language: Language) -> PageWords:
    """The texts of a language."""
    return ZH if language == "zh" else EN
