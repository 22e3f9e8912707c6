"""The texts of a gold set's check, in English and Chinese.

What a finding says in English stands beside the checks (`harness.gold.checks.messages`), so that JSON and Python have
it; the Chinese stands here. The tests hold both to the same codes and the same `{names}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.gold.checks.finding import Finding, Severity
from harness.gold.checks.messages import MESSAGES, Code, Message
from harness.report.words import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWords:
    """The texts of one language."""

    language: Language
    messages: Mapping[Code, Message]
    severities: Mapping[Severity, str]
    title: str
    set_line: str
    independent: str
    verdict_clean: str
    verdict: str
    remedy: str
    coverage: str
    topic: str
    all: str
    worth: str
    worth_note: str
    tier: str
    items: str
    units: str
    disagree: str
    nothing: str
    points: str
    more: str
    likeness: str
    answered: str
    not_answered: str
    answer: str
    near_note: str
    language_name: str

    def what(self, finding: Finding) -> str:
        return self.messages[finding.code].what.format(count=finding.count, **finding.values)

    def to_do(self, finding: Finding) -> str:
        return self.messages[finding.code].remedy.format(count=finding.count, **finding.values)


_ZH_MEND = "补全说明卡，让别人知道题集是什么、有没有改动过。"
_ZH_LOOK = "看一看来源：没有读进来的行不参与评测。"

_ZH: Mapping[Code, Message] = {
    "no-card": Message("{path} 没有说明卡：别人不知道题目从哪里来、是什么许可", _ZH_MEND),
    "card-digest": Message("{path}：题目与说明卡上的摘要不符；如果是有意改动，请更新说明卡", _ZH_MEND),
    "card-items": Message("说明卡写着 {said} 道题，文件里有 {items} 道", _ZH_MEND),
    "no-digest": Message("说明卡没有写摘要；现在是 {digest}", _ZH_MEND),
    "no-licence": Message("说明卡没有写许可", _ZH_MEND),
    "repeated-rows": Message("{path}：丢掉了 {rows} 行重复的内容", _ZH_LOOK),
    "missing-question": Message("{path}：有 {rows} 行没有读进来：缺题目（{column!r} 列）", _ZH_LOOK),
    "missing-answer": Message("{path}：有 {rows} 行没有读进来：缺答案（{column!r} 列）", _ZH_LOOK),
    "ambiguous-options": Message("{path}：有 {rows} 行没有读进来：选项有歧义（{column!r} 列）", _ZH_LOOK),
    "duplicate": Message(
        "同一道题、同一个答案出现了不止一次（{count} 道题）", "每道只留一份：重复的题被计了两次，区间会偏窄。"
    ),
    "near-duplicate": Message(
        "有 {count} 对题目几乎相同（Jaccard 系数不低于 {threshold:g}）",
        "每对留一道，或给它们同一个 cluster，这样只算一次。",
    ),
    "too-alike": Message(
        "相似的题太多，没能逐对比较", "大部分题出自少数模板：同一模板的题给同一个 cluster，再检查一次。"
    ),
    "pattern": Message(
        "{items} 道题出自 {count} 个句式，只换了数字或一个词（最大的一组 {largest} 道）",
        "题目不同，但并不独立：如果一个句式只考一种能力，给这些题同一个 cluster。",
    ),
    "contradiction": Message(
        "同一道题有不同的答案（{count} 道题）：模型怎么答都有一个算错", "改正错的答案，或合成一道题、两个答案都接受。"
    ),
    "likely-contradiction": Message(
        "只差虚词的题目有不同的答案（{count} 道题）", "读一读：要么有一个答案错了，要么题目没写清区别。"
    ),
    "several-answers": Message(
        "同一道题有几个长答案（{count} 道题）", "留下答案最好的一道，或给它们同一个 cluster：它们是一道题。"
    ),
    "aliases-differ": Message(
        "同一道题这里接受一个答案，那里接受它的更长写法（{count} 道题）", "合成一道题，两种写法都接受。"
    ),
    "picture-contradiction": Message(
        "同一张图、同样的问法，答案却不同（{count} 张图）", "看图改正错的答案，只留一道。"
    ),
    "trivial-question": Message("{count} 道题什么也没问（空、“无”、只有标点）", "删掉，或补上题目。"),
    "trivial-answer": Message(
        "{count} 个答案只是占位（“无”“不知道”“N/A”、只有标点）", "补上答案或删掉这道题：模型不是必错，就是碰巧对。"
    ),
    "broken-choice": Message("{count} 道选择题的答案不是任何一个选项", "写正确选项的字母，或一字不差地写选项内容。"),
    "twin-options": Message("{count} 道题有两个相同的选项", "换掉其中一个：选了另一个的会被判错。"),
    "long-question": Message(
        "{count} 道题（{language}）远长于其余题目（中位数 {median:g} 字符，超过 {limit:g}）",
        "看看是不是几道题或整篇文档混进了一道题。",
    ),
    "short-question": Message(
        "{count} 道题（{language}）远短于其余题目（中位数 {median:g} 字符，不足 {limit:g}）", "看看是不是缺了一段。"
    ),
    "long-answer": Message(
        "{count} 个答案（{language}）远长于其余答案（中位数 {median:g} 字符，超过 {limit:g}）",
        "长答案难以比对：看看是不是把解释写进了答案。",
    ),
    "short-answer": Message(
        "{count} 个答案（{language}）远短于其余答案（中位数 {median:g} 字符，不足 {limit:g}）", "看看是不是缺了一段。"
    ),
    "leaked-answer": Message(
        "答案就写在题目里（{count} 道题）", "换个问法，别让题目说出答案；照抄题目的模型在这里也能得分。"
    ),
    "reading-task": Message(
        "{asked} 道题里有 {count} 道的答案在题目中，像是阅读或抄写任务", "如果本来如此，不用处理。"
    ),
    "letter-balance": Message(
        "正确选项分布不均：{spread}（卡方检验 p = {p:.2g}）；总答 {letter} 就能得 {share:.0%}",
        "打乱选项顺序，让偏爱某个字母得不到好处。",
    ),
    "longest-option": Message(
        "{share:.0%} 的题正确选项恰好最长（随机应为 {chance:.0%}）", "让选项长短相当：总选最长的不该占便宜。"
    ),
    "majority-answer": Message(
        "{asked} 道题里有 {hits} 道的答案是 {answer!r}：总答它就能得 {share:.0%}",
        "平衡答案，或把任务的 floor 设成这个比例。",
    ),
    "empty-cell": Message("{cells} 个“主题 × 难度”格子里有 {count} 个没有题", "补上题，或不要对这些格子下结论。"),
    "thin-cell": Message(
        "{cells} 个“主题 × 难度”格子里有 {count} 个不足 {least} 道独立的题",
        "这么少看不出任何差异：这些切片只当线索，或再加题。",
    ),
    "thin-tier": Message(
        "难度 {tiers} 不足 {least} 道独立的题，差异再大也看不出来", "给这个难度加题，或与别的难度合并。"
    ),
    "unlabelled": Message("{count} 道题没有 {key!r}，其余的有", "补上标签：没有标签的题不在任何切片里。"),
    "label-spelling": Message("{key!r} 里同一个标签有几种写法：{spellings}", "统一写法，否则一个切片会变成几个。"),
    "language-mix": Message("题集混有几种语言：{mix}", "按语言切片，否则一种语言的变化会被另一种掩盖。"),
    "wrong-language": Message("{count} 道题声明的语言与文字不符", "改正 metadata.language：提示词按它来选。"),
    "damaged-text": Message(
        "{count} 道题有损坏的文字（替换字符、编码读错、HTML 标记）", "用正确的编码重新导入来源，并清掉标记。"
    ),
    "train-verbatim": Message(
        "{count} 道题原样出现在训练数据里（其中 {answered} 道连答案也在）",
        "从题集里删掉（或从训练数据里删掉再训练）：它们测的是记忆。",
    ),
    "train-near": Message(
        "{count} 道题在训练数据里有近似重复（Jaccard 系数不低于 {threshold:g}；其中 {answered} 道连答案也在）",
        "逐对读一遍；除非问的是别的事，否则从题集里删掉。",
    ),
    "train-passage": Message(
        "{count} 道题与训练数据有连续相同的一段（{words} 个词，或 {characters} 个汉字；其中 {answered} 道连答案也在）",
        "逐对读一遍：共用的材料可能泄露答案，共用的套话不会。",
    ),
    "few-items": Message(
        "{units} 道独立的题，在双方有十分之一题目不一致时只能看出 {shown} 个百分点以上的差异",
        "先加题，再说“没有差别”。",
    ),
    "too-few-items": Message(
        "{units} 道独立的题，在双方有十分之一题目不一致时，差异再大也看不出来", "先加题：这么少的题得不出任何结论。"
    ),
}

CHECK_EN = CheckWords(
    language="en",
    messages=MESSAGES,
    severities={"error": "error", "warning": "warning", "info": "info"},
    title="Check of {name}",
    set_line="{items:,} items ({languages}), digest {digest}",
    independent="{units:,} of them independent: {clusters} declared clusters, {near} groups of (near) duplicates",
    verdict_clean="Nothing was found that needs a change.",
    verdict="{error} errors, {warning} warnings, {info} notes",
    remedy="→ ",
    coverage="Items by topic and difficulty",
    topic="topic",
    all="all",
    worth="What these items can show",
    worth_note="smallest difference in points (80% power, two-sided 5%) when the sides disagree on this share of items",
    tier="difficulty",
    items="items",
    units="independent",
    disagree="{share:.0%}",
    nothing="none",
    points="{value:.1f}",
    more="and {count:,} more",
    likeness="likeness {value:.2f}",
    answered="the answer stands there too",
    not_answered="without the answer",
    answer="answer",
    near_note="near duplicates: Jaccard index of character n-grams, {threshold:g} or more",
    language_name="English",
)

CHECK_ZH = CheckWords(
    language="zh",
    messages=_ZH,
    severities={"error": "错误", "warning": "警告", "info": "提示"},
    title="检查题集 {name}",
    set_line="{items:,} 道题（{languages}），摘要 {digest}",
    independent="其中独立的 {units:,} 道：声明了 {clusters} 个 cluster，有 {near} 组（近似）重复",
    verdict_clean="没有发现需要修改的地方。",
    verdict="错误 {error}，警告 {warning}，提示 {info}",
    remedy="→ ",
    coverage="各主题、各难度的题数",
    topic="主题",
    all="合计",
    worth="这些题能看出多大的差异",
    worth_note="双方不一致的题占这个比例时，能看出的最小差异（百分点；把握度 80%，双侧 5%）",
    tier="难度",
    items="题数",
    units="独立",
    disagree="{share:.0%}",
    nothing="看不出",
    points="{value:.1f}",
    more="还有 {count:,} 项",
    likeness="相似度 {value:.2f}",
    answered="答案也在其中",
    not_answered="不含答案",
    answer="答案",
    near_note="近似重复：字符 n-gram 的 Jaccard 系数不低于 {threshold:g}",
    language_name="中文",
)


def check_words(language: Language) -> CheckWords:
    """The texts of a language."""
    return CHECK_ZH if language == "zh" else CHECK_EN
