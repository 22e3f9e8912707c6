"""The texts of the page Compare, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.judge.statistics.judgements import Outcome
from harness.review.pairs import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareWords:
    """The texts of one language."""

    lead: str
    source: str
    stored: str
    any_runs: str
    comparison: str
    suite: str
    base_run: str
    candidates: str
    candidate_runs: str
    choose: str
    made_here: str
    no_runs: str
    one_run: str

    # Charts
    forest: str
    forest_lead: str
    delta_axis: str
    numbers: str
    slices: str
    slices_lead: str
    slice_by: str
    keys: Mapping[str, str]
    slice: str
    few: str
    clear: str
    not_clear: str
    no_slices: str

    # Items
    answers: str
    task: str
    metric: str
    against: str
    kinds: Mapping[Kind, str]
    search: str
    any_value: str
    shown: str
    none_lost: str
    none_found: str
    gone: str
    question: str
    prompt: str
    gold: str
    score: str
    extracted: str
    nothing_extracted: str
    not_scored: str
    finish: str
    finish_length: str
    tokens: str
    seconds: str
    failed: str
    no_answer: str
    cut: str
    same_answer: str
    repeats: str
    details: str
    export: str
    export_help: str

    # Judges
    judged: str
    uncalibrated: str
    outcomes: Mapping[Outcome, str]
    shown_first: str
    graded: str
    no_reasons: str
    unreadable: str


EN = CompareWords(
    lead="What changed between a base and its candidates, item by item.",
    source="Compare",
    stored="Stored comparison",
    any_runs="Any runs",
    comparison="Comparison",
    suite="Suite",
    base_run="Base",
    candidates="Candidates",
    candidate_runs="Against",
    choose="Choose at least one candidate.",
    made_here="Compared here from the stored samples: the doctor has not looked, and noise was not measured. "
    "harness compare does both.",
    no_runs="There is nothing to compare yet.",
    one_run="There is one run of this suite; two are needed.",
    forest="Differences",
    forest_lead="Dots are the difference, bars its interval; the shaded part is what the task allows to be lost.",
    delta_axis="difference in percentage points",
    numbers="All numbers",
    slices="Where it changed",
    slices_lead="For looking, not a verdict: nothing is adjusted for many slices. Grey: fewer than {count} items.",
    slice_by="Slice by",
    keys={"topic": "topic", "difficulty": "difficulty", "language": "language", "length": "length of the prompt"},
    slice="slice",
    few="fewer than {count} items: says nothing",
    clear="larger than its uncertainty",
    not_clear="cannot be told from no difference",
    no_slices="The items carry nothing to slice by.",
    answers="Answers",
    task="Task",
    metric="Metric",
    against="Candidate",
    kinds={"lost": "Lost", "gained": "Gained", "different": "Different only", "failed": "Failed", "all": "All"},
    search="Search in questions and answers",
    any_value="any {key}",
    shown="{first:,}–{last:,} of {total:,}",
    none_lost="No item was lost.",
    none_found="No item is like that.",
    gone="The answers are gone: the runs {runs} were pruned or cannot be read. The numbers above stand.",
    question="question",
    prompt="prompt as it was sent",
    gold="gold answer",
    score="score",
    extracted="read as",
    nothing_extracted="nothing to score in it",
    not_scored="not scored",
    finish="finish",
    finish_length="cut off at the length limit",
    tokens="{prompt:,} + {completion:,} tokens",
    seconds="{seconds:.2f} s",
    failed="no answer: {error}",
    no_answer="no answer in the store",
    cut="the first {shown:,} of {total:,} characters",
    same_answer="same answer",
    repeats="answer {number} of {count}",
    details="Prompt and details",
    export="Export this selection (CSV)",
    export_help="Texts that a spreadsheet would run as formulas begin with an apostrophe.",
    judged="Judged by {judge}",
    uncalibrated="uncalibrated judge",
    outcomes={"candidate": "candidate better", "base": "base better", "tie": "tie", "unscored": "could not be read"},
    shown_first="{name} shown first",
    graded="{name}",
    no_reasons="The judge's words are not there: the version that judged did not keep them, or the file is damaged.",
    unreadable="(nothing)",
)

ZH = CompareWords(
    lead="基座与候选之间变了什么，逐题对照。",
    source="对比",
    stored="已存的比较",
    any_runs="任意运行",
    comparison="比较",
    suite="套件",
    base_run="基座",
    candidates="候选",
    candidate_runs="对比对象",
    choose="请至少选择一个候选。",
    made_here="由已存的样本当场比较：没有做体检，也没有测量噪声。harness compare 两者都做。",
    no_runs="还没有可以对比的内容。",
    one_run="该套件只有一次运行，需要两次。",
    forest="差异",
    forest_lead="圆点是差异，横条是区间；阴影是该任务容许的退步。",
    delta_axis="差异（百分点）",
    numbers="全部数字",
    slices="变化在哪里",
    slices_lead="仅供查看，不作判定：区间未按切片数量校正。灰色：不足 {count} 题。",
    slice_by="切片",
    keys={"topic": "主题", "difficulty": "难度", "language": "语言", "length": "提示长度"},
    slice="切片",
    few="不足 {count} 题：说明不了什么",
    clear="大于其不确定性",
    not_clear="与没有差异区分不开",
    no_slices="题目上没有可供切片的信息。",
    answers="回答",
    task="任务",
    metric="指标",
    against="候选",
    kinds={"lost": "丢分", "gained": "得分", "different": "仅文字不同", "failed": "失败", "all": "全部"},
    search="在题目和回答中搜索",
    any_value="不限{key}",
    shown="第 {first:,}–{last:,} 题，共 {total:,} 题",
    none_lost="没有丢分题。",
    none_found="没有这样的题目。",
    gone="回答原文已不在：运行 {runs} 已被清理或无法读取。以上数字仍然有效。",
    question="题目",
    prompt="实际发送的提示",
    gold="标准答案",
    score="得分",
    extracted="读取为",
    nothing_extracted="提取不到答案",
    not_scored="未评分",
    finish="结束原因",
    finish_length="达到长度上限被截断",
    tokens="{prompt:,} + {completion:,} 词元",
    seconds="{seconds:.2f} 秒",
    failed="没有回答：{error}",
    no_answer="存储中没有回答",
    cut="共 {total:,} 字符，显示前 {shown:,}",
    same_answer="回答相同",
    repeats="第 {number} 次回答，共 {count} 次",
    details="提示与明细",
    export="导出所选（CSV）",
    export_help="会被电子表格当作公式的文字，前面加了撇号。",
    judged="裁判 {judge}",
    uncalibrated="未校准的裁判",
    outcomes={"candidate": "候选更好", "base": "基座更好", "tie": "平局", "unscored": "读不出结论"},
    shown_first="先展示 {name}",
    graded="{name}",
    no_reasons="没有裁判的原话：评判时的版本没有保存，或文件已损坏。",
    unreadable="（空）",
)
