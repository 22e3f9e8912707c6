"""The words of judging in pairs, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.words import Language


@dataclass(frozen=True)
class JudgedWords:
    """Everything that the report of a judging says; placeholders in braces."""

    title: str
    uncalibrated: str
    partial: str
    reference: str
    no_reference: str
    task: str
    preferred: str
    wins: str
    delta: str
    p: str
    rate: str
    controlled: str
    candidate: str
    base: str
    neither: str
    unscored: str
    identical: str
    inconsistent: str
    position: str
    position_shown: str
    reliability: str
    left_out: str
    footer: str


EN = JudgedWords(
    title="{suite}: {base} → {candidate}, judged in pairs by {judges}",
    uncalibrated="uncalibrated judge: nobody has compared its verdicts with those of people",
    partial="{judge}: {why}; judges favour their own",
    reference="the gold answer was shown",
    no_reference="the gold answer was not shown",
    task="task",
    preferred="preferred",
    wins="wins/ties/losses",
    delta="Δ points [{level} CI]",
    p="p adj.",
    rate="win rate",
    controlled="at equal length",
    candidate="▲ candidate",
    base="▼ base",
    neither="= neither shown",
    unscored="{count} could not be read in both orders: not counted",
    identical="{count} pairs of equal answers were ties without asking",
    inconsistent="the two orders disagreed on {count} of {read} judgements: ties",
    position="the answer shown first won {bias} points {ci} more often",
    position_shown="position bias: the answer shown first won {bias} points {ci} more often; both orders cancel it",
    reliability="the judges' agreement (Krippendorff's alpha): {alpha:.2f}",
    left_out="{count} items were left out: an answer, or the question as it was asked, is missing",
    footer="comparison {comparison}, prompt {prompt}, seed {seed}",
)

ZH = JudgedWords(
    title="{suite}：{base} → {candidate}，由 {judges} 成对评判",
    uncalibrated="未校准的裁判：没有人拿它的判定和人的判定对照过",
    partial="{judge}：{why}；裁判会偏向自己人",
    reference="评判时给出了标准答案",
    no_reference="评判时没有给出标准答案",
    task="任务",
    preferred="更好的一方",
    wins="胜/平/负",
    delta="Δ 百分点 [{level} 区间]",
    p="校正 p",
    rate="胜率",
    controlled="长度相同时",
    candidate="▲ 候选",
    base="▼ 基座",
    neither="= 看不出差别",
    unscored="{count} 题没能在两种顺序下都读出判定：不计入",
    identical="{count} 对回答完全相同，不必问，记为平局",
    inconsistent="{read} 次评判中有 {count} 次两种顺序结论不一：记为平局",
    position="先出现的回答多赢 {bias} 个百分点 {ci}",
    position_shown="位置偏差：先出现的回答多赢 {bias} 个百分点 {ci}；两种顺序相互抵消",
    reliability="裁判之间的一致性（Krippendorff's alpha）：{alpha:.2f}",
    left_out="{count} 题没有计入：缺少回答，或者找不到当时的题目",
    footer="比较 {comparison}，提示词 {prompt}，种子 {seed}",
)


def judged_words(language: Language) -> JudgedWords:
    return ZH if language == "zh" else EN
