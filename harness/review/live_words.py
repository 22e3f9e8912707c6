"""The texts of the page Live, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.review.live import State


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWords:
    """The texts of one language."""

    lead: str
    none_title: str
    none_text: str
    states: Mapping[State, str]
    explained: Mapping[State, str]
    process: str
    began: str
    answers: str
    stored: str
    failed: str
    rate: str
    left: str
    silent: str
    provisional: str
    warning: str
    of_items: str
    nothing_yet: str
    task: str
    score: str
    difference: str
    progress: str


EN = LiveWords(
    lead="What is being asked right now. The page looks every few seconds and writes nothing.",
    none_title="Nothing is running",
    none_text="While answers are generated for this store on this machine, they are counted here. Start with:",
    states={
        "starting": "Engine starting",
        "answering": "Answering",
        "checking": "All answered",
        "interrupted": "Interrupted",
    },
    explained={
        "starting": "The engine is being loaded. A large model takes one to three minutes before its first answer.",
        "checking": "The doctor is looking; the comparison is written next, and stands on Overview then.",
        "interrupted": "Its process is gone. Every answer that had come is kept: run the same command to go on, and "
        "only what is missing is generated.",
    },
    process="process {process} on {host}",
    began="began {time} UTC",
    answers="{done:,} of {total:,} answers",
    stored="{count:,} were stored already",
    failed="{count:,} failed",
    rate="{rate:.1f} answers/s",
    left="about {time} left",
    silent="no new answer for {time}",
    provisional="provisional",
    warning="No verdict: what is quick to answer comes first, so the items so far are no fair draw, and looking often "
    "finds differences that are none. Wait for the comparison.",
    of_items="{n:,} of {total:,}",
    nothing_yet="nothing yet",
    task="Task",
    score="Score so far",
    difference="Difference so far (points)",
    progress="Items",
)

ZH = LiveWords(
    lead="正在作答的运行。页面每隔几秒查看一次，不写入任何内容。",
    none_title="当前没有运行",
    none_text="本机正在为该存储生成回答时，进度会显示在这里。可以这样开始：",
    states={
        "starting": "引擎启动中",
        "answering": "作答中",
        "checking": "已全部作答",
        "interrupted": "已中断",
    },
    explained={
        "starting": "正在加载引擎。大模型通常需要一到三分钟才会给出第一个回答。",
        "checking": "正在体检；随后写入比较结果，届时可在“总览”查看。",
        "interrupted": "进程已不在。已完成的回答全部保留：重新执行同一条命令即可继续，只补缺少的部分。",
    },
    process="{host} 上的进程 {process}",
    began="开始于 {time} UTC",
    answers="已有 {done:,} / {total:,} 个回答",
    stored="其中 {count:,} 个此前已存",
    failed="{count:,} 个失败",
    rate="{rate:.1f} 个/秒",
    left="约剩 {time}",
    silent="已 {time} 没有新回答",
    provisional="暂定",
    warning="这不是结论：先回来的是容易答的题，不是公平抽样；反复查看也会看到并不存在的差异。请等比较完成。",
    of_items="{n:,} / {total:,}",
    nothing_yet="尚无",
    task="任务",
    score="目前得分",
    difference="目前差异（百分点）",
    progress="题数",
)
