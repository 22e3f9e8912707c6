"""How much memory does importing the whole of Toyhom take, and does every row arrive where it belongs?

    python benchmarks/import_toyhom.py [--rows 660000] [--bar-mib 1024]

Makes the layout of https://github.com/Toyhom/Chinese-medical-dialogue-data from a seed: six departments, a folder with
one CSV each, GB18030, columns department, title, ask and answer. Rows have the lengths of the original's, and its
faults: repeated rows, "无" where nothing was asked or answered, cells with quotes and line breaks. Then imports the
folder in a process of its own. Exit code 1 when that process needed more memory than the bar, or when the report does
not account for every row as it was made.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROWS = 660_000
BAR_MIB = 1024.0

#: Folder, file, and the share of the rows, as the original has them.
_DEPARTMENTS = (
    ("Andriatria_男科", "男科5-13000.csv", 0.12),
    ("IM_内科", "内科5000-33000.csv", 0.28),
    ("OAGD_妇产科", "妇产科6-28000.csv", 0.23),
    ("Oncology_肿瘤科", "肿瘤科5-10000.csv", 0.10),
    ("Pediatric_儿科", "儿科5-14000.csv", 0.13),
    ("Surgical_外科", "外科5-14000.csv", 0.14),
)
_UNITS = ("心血管科", "消化科", "呼吸科", "神经科", "肾内科", "内分泌科", "血液科", "感染科", "风湿科", "其他")
_ILLS = (
    "高血压", "糖尿病", "冠心病", "慢性胃炎", "乙肝", "甲亢", "痛风", "哮喘", "肾结石", "贫血", "脂肪肝", "胆囊炎",
    "类风湿", "鼻炎", "湿疹", "前列腺炎", "子宫肌瘤", "失眠", "便秘", "痔疮", "肺结核", "荨麻疹", "癫痫", "中耳炎",
)  # fmt: skip
_TITLES = ("{}能吃党参吗", "{}该怎么治疗", "{}有什么症状", "{}哪里能治好", "得了{}怎么办才好", "{}患者要注意些什么呢")
_COMPLAINTS = (
    "最近一段时间总是觉得头晕乏力", "晚上睡觉的时候更加明显", "吃过几天消炎药没有效果", "去医院拍过片子没发现问题",
    "平时经常熬夜，饮食也不规律", "一到阴雨天就加重", "家里没有人得过这种病", "血压有点偏高，大约一百六",
    "不知道是什么原因引起的", "已经严重影响到工作和生活", "听朋友说可以用偏方", "心里非常担心会遗传给孩子",
)  # fmt: skip
_ADVICE = (
    "您好，根据您的描述，这种情况需要引起重视，建议您尽快到正规医院做一个全面的检查。",
    "平时要注意休息，避免熬夜和过度劳累，饮食以清淡为主，少吃辛辣油腻的食物。",
    "可以在医生的指导下服用药物来控制症状，切忌自己随意加量或者停药。",
    "适当地参加体育锻炼，例如散步、慢跑和太极拳，对身体的恢复很有帮助。",
    "保持良好的心态，不要过分紧张和焦虑，积极地配合医生的治疗。",
    "定期复查各项指标，如果出现不舒服的感觉，请立即就诊，以免耽误病情。",
    "目前这种疾病还没有特效药，主要是对症治疗，以缓解症状和延缓进展为目的。",
)  # fmt: skip


@dataclass(slots=True)
class Made:
    """What an import has to find.

    Attributes:
        silent: rows whose answer is "无".
    """

    rows: int = 0
    duplicates: int = 0
    silent: int = 0

    @property
    def items(self) -> int:
        return self.rows - self.duplicates - self.silent


def write_layout(folder: Path, rows: int, seed: int = 0) -> Made:
    """Six folders with a CSV each; what an import must make of them."""
    made, rng = Made(), random.Random(seed)
    left = rows
    for number, (name, file, share) in enumerate(_DEPARTMENTS, start=1):
        count = left if number == len(_DEPARTMENTS) else round(rows * share)
        left -= count
        (folder / name).mkdir(parents=True)
        with (folder / name / file).open("w", encoding="gb18030", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            table.writerow(("department", "title", "ask", "answer"))
            table.writerows(_rows(count, name.partition("_")[2], made, rng))
    return made


def _rows(count: int, department: str, made: Made, rng: random.Random) -> Iterator[tuple[str, str, str, str]]:
    earlier = None
    for _ in range(count):
        made.rows += 1
        chance = rng.random()
        if chance < 0.03 and earlier is not None:
            made.duplicates += 1
            yield earlier
            continue
        ill = rng.choice(_ILLS)
        unit = rng.choice(_UNITS)
        # The number makes the row one of its kind, as real ones are.
        ask = f"{rng.randint(1, 90)}岁，病历{made.rows}，{'，'.join(rng.choices(_COMPLAINTS, k=rng.randint(1, 6)))}？"
        answer = "".join(rng.choices(_ADVICE, k=rng.choice((3, 4, 4, 4, 5, 6))))
        title = rng.choice(_TITLES).format(ill)
        if chance < 0.04:  # the rest of the question is then its title
            title, ask = f"{title}（病历{made.rows}）", "无"
        elif chance < 0.05:
            made.silent += 1
            yield f"{department}{unit}", title, ask, "无"
            continue
        elif chance < 0.06:
            ask, answer = f'医生说是"{ill}"\n{ask}', answer.replace("。", "。\n", 2)
        earlier = (f"{department}{unit}", title, ask, answer)
        yield earlier


def import_folder(folder: Path, work: Path) -> tuple[float, float, dict[str, object]]:
    """Seconds and peak MiB of one `harness goldset import`, and its report."""
    command = [sys.executable, "-m", "harness", "goldset", "import", str(folder), "--as", "toyhom", "--into", str(work)]
    command += ["--map", "question=title+ask,answer=answer,metadata.topic=department", "--json", str(work / "report")]
    began = time.perf_counter()
    pid = os.posix_spawn(
        sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit("the import failed")
    report = json.loads((work / "report").read_text(encoding="utf-8"))
    return time.perf_counter() - began, usage.ru_maxrss / 1024, report


def main() -> int:
    """Print the measurements; 0 when memory is under the bar and every row is accounted for."""
    parser = argparse.ArgumentParser(description="memory of importing a folder of the size of Toyhom")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows in all (default: {ROWS})")
    parser.add_argument("--bar-mib", type=float, default=BAR_MIB, help=f"memory allowed (default: {BAR_MIB:g})")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, work = Path(name) / "Data_数据", Path(name) / "goldsets"
        work.mkdir()
        made = write_layout(folder, given.rows)
        size = sum(path.stat().st_size for path in folder.rglob("*.csv"))
        seconds, peak, report = import_folder(folder, work)
    found = Made(int(str(report["rows"])), int(str(report["duplicates"])))
    found.silent = found.rows - found.duplicates - int(str(report["items"]))
    print(f"made:    {made.rows:,} rows in {len(_DEPARTMENTS)} files of {size / 2**20:.0f} MiB in all")
    print(f"found:   {found.items:,} items, {found.duplicates:,} duplicates, {found.silent:,} rows without an answer")
    print(f"time:    {seconds:.1f} s, {found.rows / seconds:,.0f} rows a second")
    print(f"memory:  {peak:.0f} MiB of {given.bar_mib:g} MiB allowed ({peak / given.bar_mib:.2f} of the bar)")
    if found != made:
        print(f"MISSED: made {made}, found {found}")
    return 0 if peak <= given.bar_mib and found == made else 1


if __name__ == "__main__":
    sys.exit(main())
