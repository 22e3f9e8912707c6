"""The texts of the page Label, in English and Chinese.

A text with `{names}` is filled in with `str.format`; the tests hold both languages to the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.report.words import Language
from harness.review.labelling import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWords:
    """The texts of one language."""

    lead: str
    draw: str
    draw_name: str
    modes: Mapping[Mode, str]
    asks: Mapping[Mode, str]
    who: str
    who_help: str
    no_draws: str
    new_draw: str
    new_lead: str
    comparison: str
    candidate: str
    way: str
    rubric: str
    items: str
    make: str
    made: str

    progress: str
    question: str
    look_for: str
    reference: str
    answer: str
    answer_a: str
    answer_b: str
    labels: Mapping[str, str]
    said: str
    back: str
    forward: str
    keys: str
    done: str
    done_text: str
    how: str
    rules: Mapping[Mode, str]
    rules_all: str
    change: str

    people: str
    nobody: str
    agreement: str
    rows: str
    accuracy: str
    kappa: str
    alpha: str
    agreement_none: str
    agreement_note: str
    whole: str
    broken: str


EN = LabelWords(
    lead="Blind: rows are shuffled, which answer stands first is tossed, and nobody is named.",
    draw="What is labelled",
    draw_name="{suite}: {mode}, {rows} rows of {items} items ({candidate}, draw {key})",
    modes={"pairwise": "A or B", "rubric": "scores on a rubric", "reference": "against the gold answer"},
    asks={
        "pairwise": "Which answer is better?",
        "rubric": "How good is the answer: {measure}?",
        "reference": "Does the answer agree with the reference?",
    },
    who="Your name",
    who_help="Labels are kept under it; with the same name you go on where you stopped",
    no_draws="Nothing has been drawn yet. Draw answers of a comparison at random to begin.",
    new_draw="Draw answers",
    new_lead="Items are drawn at random, since items that somebody picked say nothing of the others. Two annotators "
    "label the same draw.",
    comparison="Comparison",
    candidate="Candidate",
    way="What people are asked",
    rubric="Rubric",
    items="Items of each task",
    make="Draw",
    made="Drawn. Say who you are and begin.",
    progress="{done} of {total} rows labelled",
    question="Question",
    look_for="What matters here",
    reference="Reference",
    answer="Answer",
    answer_a="Answer A",
    answer_b="Answer B",
    labels={
        "A": "A is better",
        "B": "B is better",
        "tie": "equal",
        "correct": "correct",
        "partly": "partly",
        "wrong": "wrong",
        "1": "very poor",
        "2": "poor",
        "3": "fair",
        "4": "good",
        "5": "very good",
    },
    said="labelled: {label}",
    back="Back",
    forward="Next",
    keys="Keys: {digits} to label, ← back, → next. Every label is saved at once.",
    done="All {total} rows are labelled",
    done_text="Thank you. Hold a judge against these labels with:",
    how="How to label",
    rules={
        "pairwise": "Correctness counts first, then whether an answer could do harm, then whether it answers the "
        "question. Neither order nor length is a merit.",
        "rubric": "Score the answer on every criterion, from 1 to 5.",
        "reference": "Correct: it says what the reference says, in whatever words. Partly: some of it is missing, or "
        "something wrong is added. Wrong: it contradicts the reference or does not answer.",
    },
    rules_all="Do not look up who wrote what, and do not talk to the other annotators before you are done. Only whole "
    "sheets count: what is left out is seldom left out at random.",
    change="Change",
    people="Annotators",
    nobody="Nobody has labelled anything yet.",
    agreement="Agreement",
    rows="rows in common",
    accuracy="the same",
    kappa="Cohen's kappa",
    alpha="Krippendorff's alpha",
    agreement_none="Shown as soon as two annotators have labelled a row in common.",
    agreement_note="A judge cannot be expected to agree with people more than they agree with one another.",
    whole="complete",
    broken="{count} lines of this file of labels cannot be read",
)

ZH = LabelWords(
    lead="盲评：题目顺序已打乱，两个回答的先后随机决定，不显示是谁写的。",
    draw="标注内容",
    draw_name="{suite}：{mode}，{items} 题 {rows} 行（{candidate}，抽样 {key}）",
    modes={"pairwise": "A/B 对比", "rubric": "按量表打分", "reference": "对照标准答案"},
    asks={
        "pairwise": "哪个回答更好？",
        "rubric": "这个回答怎么样：{measure}？",
        "reference": "回答与标准答案一致吗？",
    },
    who="你的姓名",
    who_help="标注保存在这个名字下；用同一个名字可接着上次继续",
    no_draws="还没有抽样。先从一次比较中随机抽取回答，再开始标注。",
    new_draw="抽取回答",
    new_lead="题目随机抽取，因为挑出来的题说明不了其余的题。两位标注者标同一份抽样。",
    comparison="比较",
    candidate="候选",
    way="请人判断什么",
    rubric="量表",
    items="每个任务的题数",
    make="抽取",
    made="已抽取。填写姓名即可开始。",
    progress="已标注 {done}/{total} 行",
    question="题目",
    look_for="本题要点",
    reference="标准答案",
    answer="回答",
    answer_a="回答 A",
    answer_b="回答 B",
    labels={
        "A": "A 更好",
        "B": "B 更好",
        "tie": "平局",
        "correct": "正确",
        "partly": "部分正确",
        "wrong": "错误",
        "1": "很差",
        "2": "较差",
        "3": "一般",
        "4": "较好",
        "5": "很好",
    },
    said="已标：{label}",
    back="上一题",
    forward="下一题",
    keys="按键：{digits} 标注，← 上一题，→ 下一题。每次标注立即保存。",
    done="{total} 行已全部标完",
    done_text="谢谢。用这些标注检验裁判：",
    how="标注说明",
    rules={
        "pairwise": "先看是否正确，再看是否可能造成伤害，最后看是否答其所问。先后顺序和长短都不是优点。",
        "rubric": "每项标准打 1 到 5 分。",
        "reference": "正确：说出了标准答案的内容，用词不限。部分正确：缺了一部分，或另加了错误内容。"
        "错误：与标准答案矛盾，或没有回答。",
    },
    rules_all="不要打听是谁写的；完成之前不要与其他标注者讨论。全部标完才算数：被跳过的题很少是随机的。",
    change="换人",
    people="标注者",
    nobody="还没有人标注。",
    agreement="一致性",
    rows="共同标注的行",
    accuracy="相同",
    kappa="Cohen kappa",
    alpha="Krippendorff alpha",
    agreement_none="两位标注者标过同一行后即显示。",
    agreement_note="不能指望裁判与人的一致性高于人与人之间的一致性。",
    whole="已完成",
    broken="标注文件中有 {count} 行无法读取",
)


def label_words(language: Language) -> LabelWords:
    """The texts of a language."""
    return ZH if language == "zh" else EN
