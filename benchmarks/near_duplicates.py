"""How long the near-duplicate check takes on 100,000 questions, and whether it finds what was planted.

    taskset -c 0 python benchmarks/near_duplicates.py [--items 100000]

The questions are Chinese medical ones of 15 to 80 characters made from a seed: a complaint in one of many frames, with
age, duration and other details, as patients write them. To 2% of them a near duplicate is planted: punctuation or a
particle changed, a word replaced, a clause added. Exit code 1 when it takes longer than the bar (60 s for 100,000 items
on one core, shared out by number) or when a planted pair that truly reaches the threshold is missed.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from pathlib import Path

import numpy as np

from harness.gold.checks import check_goldset
from harness.gold.checks.material import Material
from harness.gold.checks.similarity import THRESHOLD, shingle
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.text import normalise

_BAR = 60.0
_BAR_ITEMS = 100_000
_PLANTED = 0.02

_WHO = (
    "我", "我妈妈", "我爸爸", "我爱人", "孩子", "我奶奶", "我朋友", "我公公", "我同事", "病人", "本人", "我婆婆",
    "小孩", "宝宝", "家里老人", "我姐姐",
)  # fmt: skip
_PART = (
    "头部", "胸口", "左侧腰部", "右下腹", "膝关节", "后背", "手指", "脚踝", "喉咙", "牙龈", "眼睛", "耳朵", "颈椎",
    "胃部", "小腿", "肩膀", "皮肤", "肛门", "鼻腔", "肝区", "心前区", "腋下", "脚底", "下颌", "手腕", "大腿根",
    "腰椎", "乳房", "舌头", "面部",
)  # fmt: skip
_SIGN = (
    "疼痛", "发麻", "肿胀", "瘙痒", "出血", "发热", "酸胀", "灼热", "无力", "起疹子", "僵硬", "抽搐", "有硬块",
    "脱皮", "流脓", "刺痛", "发黑", "麻木", "溃烂", "隐隐作痛", "跳痛", "出汗", "发凉", "发紫", "胀痛", "干涩",
    "化脓", "有异物感", "变形", "水肿",
)  # fmt: skip
_WHEN = (
    "三天", "一个多星期", "半个月", "两个月", "半年", "一年多", "昨天开始", "今天早上", "断断续续三年", "最近",
    "好几天", "产后", "手术后", "感冒后", "运动后",
)  # fmt: skip
_DISEASE = (
    "高血压", "糖尿病", "冠心病", "慢性胃炎", "乙肝", "甲亢", "痛风", "哮喘", "肾结石", "贫血", "脂肪肝", "胆囊炎",
    "腰椎间盘突出", "类风湿", "鼻炎", "湿疹", "前列腺炎", "子宫肌瘤", "抑郁症", "失眠", "便秘", "痔疮", "肺结核",
    "心律不齐", "荨麻疹", "带状疱疹", "骨质疏松", "白癜风", "癫痫", "中耳炎",
)  # fmt: skip
_DRUG = (
    "阿司匹林", "二甲双胍", "阿莫西林", "头孢克肟", "布洛芬", "奥美拉唑", "氨氯地平", "硝苯地平", "氯雷他定",
    "左氧氟沙星", "蒙脱石散", "泼尼松", "辛伐他汀", "板蓝根", "六味地黄丸", "连花清瘟", "复方丹参片", "藿香正气水",
    "维生素C", "甲硝唑",
)  # fmt: skip
_ASK = (
    "应该挂什么科", "吃什么药好得快", "需要住院吗", "怎么治疗比较好", "会不会传染", "能不能喝酒", "日常要注意什么",
    "严重吗", "要做哪些检查", "是什么原因引起的", "可以根治吗", "能吃海鲜吗", "多久能恢复", "对孩子有影响吗",
    "需不需要手术", "可以停药吗", "用热敷还是冷敷", "能不能打疫苗", "还能上班吗", "会遗传给下一代吗",
)  # fmt: skip
_ALSO = (
    "晚上更明显", "去医院拍过片子没发现问题", "吃过几天消炎药没有效果", "伴有轻微咳嗽", "不敢用力", "平时经常熬夜",
    "血压有点偏高", "饮食比较清淡", "大便不太正常", "一到阴雨天就加重", "没有外伤史", "已经影响睡眠",
    "体重下降了一些", "家里没有人得过", "贴过膏药",
)  # fmt: skip


def question(rng: random.Random) -> str:
    """A question as a patient writes it."""
    who, part, sign, ask = rng.choice(_WHO), rng.choice(_PART), rng.choice(_SIGN), rng.choice(_ASK)
    age = f"今年{rng.randint(1, 90)}岁，" if rng.random() < 0.6 else ""
    kind = rng.random()
    if kind < 0.55:
        text = f"{who}{age}{part}{sign}{rng.choice(_WHEN)}了"
    elif kind < 0.8:
        text = f"{who}{age}得了{rng.choice(_DISEASE)}，一直在吃{rng.choice(_DRUG)}，{part}{sign}"
    else:
        text = f"{rng.choice(_DISEASE)}患者{age}同时服用{rng.choice(_DRUG)}和{rng.choice(_DRUG)}，{part}{sign}"
    for clause in rng.sample(_ALSO, rng.choice((0, 1, 1, 2))):
        text += f"，{clause}"
    return f"{text}，{ask}？"


def copied(text: str, rng: random.Random) -> str:
    """The same question as somebody else would have pasted it."""
    way = rng.randrange(4)
    if way == 0:
        return text.replace("，", " ").replace("？", "?") + "谢谢"
    if way == 1:
        return f"医生您好，{text}"
    if way == 2:
        word = rng.choice([sign for sign in _SIGN if sign in text])
        return text.replace(word, rng.choice(_SIGN), 1)
    return text.removesuffix("？") + "呢，请医生帮忙看看？"


def make_items(count: int, seed: int = 0) -> tuple[list[Item], list[tuple[str, str]]]:
    """Questions with planted copies, and the ids of each planted pair."""
    rng = random.Random(seed)
    texts = list(dict.fromkeys(question(rng) for _ in range(int(count * (1 - _PLANTED) * 1.1))))
    texts = texts[: count - int(count * _PLANTED)]
    sources = rng.sample(range(len(texts)), count - len(texts))
    items = [
        Item(id=f"q{i}", question=text, answer=f"建议{rng.choice(_ASK)[:4]}后复查。" * 12)
        for i, text in enumerate(texts)
    ]
    planted = []
    for i in sources:
        items.append(Item(id=f"copy{i}", question=copied(texts[i], rng), answer=items[i].answer))
        planted.append((f"q{i}", f"copy{i}"))
    rng.shuffle(items)
    return items, planted


def main() -> int:
    parser = argparse.ArgumentParser(description="near-duplicate check of a large gold set")
    parser.add_argument("--items", type=int, default=_BAR_ITEMS, help=f"questions (default: {_BAR_ITEMS})")
    parser.add_argument("--whole", action="store_true", help="time the other checks too")
    options = parser.parse_args()
    items, planted = make_items(options.items)
    goldset = GoldSet(name="generated", items=tuple(items), path=Path("generated.jsonl"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    material = Material(goldset)
    near, same = material.alike, material.same
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    label = dict(zip((item.id for item in items), same.tolist(), strict=True))
    by_id = {item.id: normalise(item.text) for item in items}
    reach = [pair for pair in planted if jaccard(by_id[pair[0]], by_id[pair[1]]) >= THRESHOLD]
    caught = sum(label[one] == label[two] for one, two in reach)
    bar = _BAR * options.items / _BAR_ITEMS
    lengths = np.array([len(item.text) for item in items])
    print(
        f"{options.items:,} questions of {lengths.min()} to {lengths.max()} characters, median {np.median(lengths):g}"
    )
    print(f"near duplicates     {wall:7.1f} s, {cpu:.1f} CPU s: {cpu / bar:.2f} of the bar ({bar:g} s)")
    print(f"memory              {before:7.0f} MB with the items, {peak:.0f} MB at most")
    looked = "every candidate looked at" if near.complete else "NOT every candidate looked at"
    print(f"pairs at {THRESHOLD:g}        {len(near):7,} beside equal ones, {looked}")
    print(f"planted             {len(planted):7,}, truly at {THRESHOLD:g} or more {len(reach):,}, found {caught:,}")
    if options.whole:
        wall = time.perf_counter()
        check_goldset(goldset)
        print(f"all checks          {time.perf_counter() - wall:7.1f} s")
    passed = cpu <= bar and caught == len(reach)
    print(f"bar: at most {bar:g} s and none missed: {'met' if passed else 'MISSED'}")
    return 0 if passed else 1


def jaccard(one: str, two: str) -> float:
    """Of the same n-grams, by Python's sets."""
    sets = shingle([one, two])
    left, right = (set(sets.keys[sets.starts[i] : sets.starts[i + 1]].tolist()) for i in range(2))
    return len(left & right) / len(left | right)


if __name__ == "__main__":
    sys.exit(main())
