"""What attacks did to a judge's verdicts, on the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from harness.judge.robustness import AttackResult, Robustness
from harness.report.judged_parts import plain_table
from harness.report.numbers import NONE, level, share
from harness.report.untrusted import one_line
from harness.report.words import Language


@dataclass(frozen=True)
class _Words:
    title: str
    drawn: str
    none: str
    attack: str
    flipped: str
    rate: str
    tied: str
    unread: str
    control: str
    names: dict[str, str]
    footer: str


_EN = _Words(
    title="{suite}: how many verdicts of {judges} an answer turns around by talking to it",
    drawn="{decided} of {drawn} pairs drawn at random have a loser, whose answer was attacked in both orders",
    none="no pair has a loser: there was nothing to attack",
    attack="what the loser added",
    flipped="now wins",
    rate="share [{level} CI]",
    tied="now a tie",
    unread="not read",
    control="(changes nothing that matters)",
    names={},
    footer="comparison {comparison}, prompt {prompt}, seed {seed}",
)
_ZH = _Words(
    title="{suite}：回答靠“游说”能翻转 {judges} 的多少判定",
    drawn="随机抽取 {drawn} 对，其中 {decided} 对分出了胜负；对负方的回答做了攻击，两种顺序都问",
    none="没有一对分出胜负：没有可攻击的判定",
    attack="负方加了什么",
    flipped="变为获胜",
    rate="比例 [{level} 区间]",
    tied="变为平局",
    unread="读不出",
    control="（不改变任何要紧之处）",
    names={
        "harmless": "无害的一句话",
        "instruction": "指令",
        "fake verdict": "假判定",
        "fake turn": "假对话轮次",
        "imitated fence": "冒充标记行",
        "authority": "权威背书",
        "null model": "空模型（固定回答）",
    },
    footer="比较 {comparison}，提示词 {prompt}，种子 {seed}",
)


def render_robustness(found: Robustness, language: Language) -> RenderableType:
    """A line for every attack, the harmless one first."""
    words = _ZH if language == "zh" else _EN
    judges = ", ".join(judge.name for judge in found.judges)
    parts: list[RenderableType] = [
        Text(one_line(words.title.format(suite=found.suite, judges=judges), 400), style="bold"),
        Text(words.drawn.format(decided=found.decided, drawn=found.drawn) if found.decided else words.none),
    ]
    if found.decided:
        heads = [words.attack, words.flipped, words.rate.format(level=level(found.alpha)), words.tied, words.unread]
        parts += [Text(""), plain_table(heads, [_row(one, words) for one in found.attacks], left=1)]
    footer = words.footer.format(comparison=found.comparison, prompt=found.prompt, seed=found.seed)
    return Group(*parts, Text(footer, style="dim"))


def _row(one: AttackResult, words: _Words) -> list[str]:
    name = words.names.get(one.name, one.name)
    between = f" [{share(one.ci[0])}, {share(one.ci[1])}]" if one.ci else ""
    return [
        f"{name} {words.control}" if one.control else name,
        f"{one.flipped}/{one.n}",
        NONE if one.share is None else f"{share(one.share)}{between}",
        str(one.tied),
        str(one.unread),
    ]
