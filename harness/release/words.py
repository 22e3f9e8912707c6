"""The texts of the release review that the reports do not have, in English and Chinese.

A text with `{names}` is filled in with `str.format`; the tests hold both languages to the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.release.signoffs import Decision, State
from harness.report.words import Language

#: `fail` blocks the release, `unsure` leaves the question open, `look` is for a person to weigh.
Status = Literal["pass", "fail", "unsure", "look"]
#: What a line of the checklist is about.
Kind = Literal["target", "guard", "doctor", "answers", "power", "setting", "judge", "record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWords:
    """The texts of one language."""

    title: str
    checklist: str
    statuses: Mapping[Status, str]
    kinds: Mapping[Kind, str]
    states: Mapping[State, str]
    against: Mapping[int, str]
    decisions: Mapping[Decision, str]
    note_alone: str

    # The checklist
    verdict: str
    no_doctor: str
    doctor_name: str
    all_answered: str
    answers: str
    answer_gaps: str
    sees: str
    sees_target: str
    sees_guard: str
    limited: str
    limited_name: str
    part: str
    part_name: str
    prompts_name: str
    prompts: str
    warning_name: str
    uncalibrated: str
    calibrated: str
    partly_calibrated: str
    changed: str
    changed_name: str

    # Sign-offs
    signoffs: str
    who: str
    when: str
    decision: str
    note: str
    nobody: str
    invalid: str
    superseded: str
    broken: str
    record: str
    signed_by: str

    # Signing
    candidate: str
    comparison: str
    your_name: str
    your_note: str
    note_help: str
    approve: str
    reject: str
    only_note: str
    sign: str
    reason_needed: str
    signed_now: str
    export: str
    none: str


EN = ReleaseWords(
    title="Release review",
    checklist="Checklist",
    statuses={"pass": "passed", "fail": "blocks", "unsure": "cannot tell", "look": "look at it"},
    kinds={
        "target": "target",
        "guard": "guard",
        "doctor": "doctor",
        "answers": "answers",
        "power": "sample size",
        "setting": "setting",
        "judge": "judge",
        "record": "record",
    },
    states={"approved": "Approved", "rejected": "Rejected", "open": "Not signed off yet"},
    against={
        1: "Approved against a failed gate",
        3: "Approved although answers are missing",
        4: "Approved although the gate cannot tell",
    },
    decisions={"approve": "approved", "reject": "rejected"},
    note_alone="note",
    verdict="{verdict}: {delta} {interval} points, n {n:,} ({requirement}, margin {margin})",
    no_doctor="the doctor has not looked at it: there are no weights here to look at",
    doctor_name="silent failures",
    all_answered="every question was answered and scored on both sides",
    answers="failed, missing or unscored answers",
    answer_gaps="{task}: {base} of the base, {candidate} of the candidate; these items are left out on both sides",
    sees="what {task} could show",
    sees_target="{n:,} items show differences of {mde} points and more; a smaller gain may be there unseen",
    sees_guard="{n:,} items show differences of {mde} points and more, the margin is {margin}",
    limited="at most {limit:,} items a task were asked, not the whole gold sets",
    limited_name="a part of the questions",
    part="only the {part} half of the gold sets was asked",
    part_name="half of the questions",
    prompts_name="prompt formats",
    prompts="the two sides were prompted in different formats",
    warning_name="warning",
    uncalibrated="uncalibrated judge: nobody has held it against people's labels",
    calibrated="held against the labels of {people}",
    partly_calibrated="held against the labels of {people}, but not on {tasks}",
    changed="the file no longer holds what it was stored with: its id is not that of its content",
    changed_name="the comparison's file",
    signoffs="Sign-offs",
    who="name",
    when="time (UTC)",
    decision="decision",
    note="note",
    nobody="Nobody has signed yet.",
    invalid="signed another content of this comparison: it does not count",
    superseded="replaced by a later decision of the same person",
    broken="{count} lines of the file of sign-offs cannot be read",
    record="A record and no proof: whoever may write to the store may sign by any name.",
    signed_by="by {names}",
    candidate="Candidate",
    comparison="Comparison",
    your_name="Your name",
    your_note="Note",
    note_help="Needed to approve what the gate did not pass",
    approve="Approve",
    reject="Reject",
    only_note="Note only",
    sign="Sign",
    reason_needed="The gate did not pass it. Whoever approves it all the same says why.",
    signed_now="Signed.",
    export="Save as HTML",
    none="There is nothing to review yet. Make a comparison first:",
)

ZH = ReleaseWords(
    title="发布评审",
    checklist="检查清单",
    statuses={"pass": "通过", "fail": "阻止发布", "unsure": "无法判定", "look": "请留意"},
    kinds={
        "target": "目标",
        "guard": "守护",
        "doctor": "体检",
        "answers": "回答",
        "power": "题量",
        "setting": "设置",
        "judge": "裁判",
        "record": "记录",
    },
    states={"approved": "已批准", "rejected": "已驳回", "open": "尚未签字"},
    against={
        1: "门禁未通过，仍被批准",
        3: "回答不完整，仍被批准",
        4: "门禁无法判定，仍被批准",
    },
    decisions={"approve": "批准", "reject": "驳回"},
    note_alone="备注",
    verdict="{verdict}：{delta} {interval} 个百分点，{n:,} 题（{requirement}，容许 {margin}）",
    no_doctor="没有体检：这里没有权重可查",
    doctor_name="静默故障",
    all_answered="双方每一题都已回答并评分",
    answers="失败、缺失或未评分的回答",
    answer_gaps="{task}：基座 {base}，候选 {candidate}；这些题在两侧都不计入",
    sees="{task} 能看出多少",
    sees_target="{n:,} 题能看出 {mde} 个百分点及以上的差异；更小的提升可能存在而看不出",
    sees_guard="{n:,} 题能看出 {mde} 个百分点及以上的差异，容许退步 {margin}",
    limited="每个任务最多只问了 {limit:,} 题，不是整个评测集",
    limited_name="部分题目",
    part="只用了评测集的 {part} 那一半",
    part_name="一半题目",
    prompts_name="提示格式",
    prompts="两侧使用了不同的提示格式",
    warning_name="警告",
    uncalibrated="未校准的裁判：还没有用人工标注检验过",
    calibrated="已用 {people} 的标注检验",
    partly_calibrated="已用 {people} 的标注检验，但不含 {tasks}",
    changed="文件内容与存入时不同：它的编号不是由现有内容得出的",
    changed_name="比较文件",
    signoffs="签字",
    who="姓名",
    when="时间（UTC）",
    decision="决定",
    note="备注",
    nobody="还没有人签字。",
    invalid="签的是本次比较的另一份内容：不作数",
    superseded="已被同一人后来的决定取代",
    broken="签字文件中有 {count} 行无法读取",
    record="这是记录而非凭证：能写入存储的人可以用任何名字签字。",
    signed_by="签字人：{names}",
    candidate="候选",
    comparison="比较",
    your_name="你的姓名",
    your_note="备注",
    note_help="批准门禁未通过的候选时必填",
    approve="批准",
    reject="驳回",
    only_note="只写备注",
    sign="签字",
    reason_needed="门禁没有通过。仍要批准的人须说明理由。",
    signed_now="已签字。",
    export="保存为 HTML",
    none="还没有可评审的内容。请先做一次比较：",
)


def release_words(language: Language) -> ReleaseWords:
    """The texts of a language."""
    return ZH if language == "zh" else EN
