"""The words of judging, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.words import Language


@dataclass(frozen=True)
class JudgedWords:
    """Everything that the report of a judging says; placeholders in braces."""

    title_pairwise: str
    title_rubric: str
    title_reference: str
    uncalibrated: str
    calibrated: str
    uncorrected: str
    task_uncalibrated: str
    drawn_again: str
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
    show: str
    measure: str
    mean_base: str
    mean_candidate: str
    delta_scale: str
    unscored_grades: str
    identical_grades: str
    reliability_of: str
    corrected: str
    people: str
    judge_alone: str
    people_alone: str
    corrected_delta: str
    items: str
    tuning: str
    guarded: str
    agreement: str
    n_labels: str
    accuracy: str
    kappa: str
    among_people: str
    of_all: str
    confusion: str
    unread: str
    overall: str


EN = JudgedWords(
    title_pairwise="{suite}: {base} → {candidate}, judged in pairs by {judges}",
    title_rubric="{suite}: {base} → {candidate}, scored on rubric {rubric} by {judges}",
    title_reference="{suite}: {base} → {candidate}, graded against the gold answers by {judges}",
    uncalibrated="uncalibrated judge: nobody has compared its verdicts with those of people",
    calibrated="calibrated by {annotators} on {items} items drawn at random",
    uncorrected="The judge alone, not corrected",
    task_uncalibrated="{task}: uncalibrated judge: nobody labelled an item of it",
    drawn_again="{draws} sheets of this kind were drawn for this comparison: who draws until one pleases has picked",
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
    footer="judging {judging} of comparison {comparison}, prompt {prompt}, seed {seed}",
    show="calibration {calibration} of judging {judging}; draw {draw}",
    measure="measure",
    mean_base="base",
    mean_candidate="candidate",
    delta_scale="Δ [{level} CI] on {low:g} to {high:g}",
    unscored_grades="{count} items have a grade that could not be read: not counted",
    identical_grades="{count} items have two equal answers, which were judged once",
    reliability_of="{measure}: the judges' agreement (Krippendorff's alpha): {alpha:.2f}",
    corrected="Corrected by people",
    people="people",
    judge_alone="judge alone",
    people_alone="people alone",
    corrected_delta="corrected Δ [{level} CI]",
    items="labelled/others",
    tuning="judge's weight",
    guarded="{measure}: so few items differ that the interval was widened",
    agreement="Agreement of the judge with people",
    n_labels="labels",
    accuracy="the same",
    kappa="kappa",
    among_people="people among themselves",
    of_all="all",
    confusion="People's labels (rows) and the judge's (columns)",
    unread="{measure}: the judge could not be read on {count} labelled answers",
    overall="overall",
)

ZH = JudgedWords(
    title_pairwise="{suite}：{base} → {candidate}，由 {judges} 成对评判",
    title_rubric="{suite}：{base} → {candidate}，由 {judges} 按评分表 {rubric} 打分",
    title_reference="{suite}：{base} → {candidate}，由 {judges} 对照标准答案评级",
    uncalibrated="未校准的裁判：没有人拿它的判定和人的判定对照过",
    calibrated="已由 {annotators} 在随机抽取的 {items} 题上校准",
    uncorrected="裁判单独的结果，未经校正",
    task_uncalibrated="{task}：未校准的裁判：这个任务没有人标注过",
    drawn_again="这次比较已抽过 {draws} 张同类标注表：反复抽到满意为止，就等于挑选",
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
    footer="评判 {judging}，比较 {comparison}，提示词 {prompt}，种子 {seed}",
    show="校准 {calibration}，评判 {judging}，抽样 {draw}",
    measure="指标",
    mean_base="基座",
    mean_candidate="候选",
    delta_scale="Δ [{level} 区间]（{low:g} 到 {high:g} 分）",
    unscored_grades="{count} 题有读不出的评分：不计入",
    identical_grades="{count} 题两个回答相同，只评了一次",
    reliability_of="{measure}：裁判之间的一致性（Krippendorff's alpha）：{alpha:.2f}",
    corrected="用人的标注校正之后",
    people="人",
    judge_alone="只看裁判",
    people_alone="只看人",
    corrected_delta="校正后的 Δ [{level} 区间]",
    items="已标注/其余",
    tuning="裁判的权重",
    guarded="{measure}：有差别的题太少，区间已放宽",
    agreement="裁判与人的一致性",
    n_labels="标注数",
    accuracy="相同",
    kappa="kappa",
    among_people="人与人之间",
    of_all="全部",
    confusion="人的标注（行）与裁判的判定（列）",
    unread="{measure}：有 {count} 个已标注的回答读不出裁判的判定",
    overall="总体",
)


def judged_words(language: Language) -> JudgedWords:
    return ZH if language == "zh" else EN
