"""The texts of the page Training, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWords:
    """The texts of one language."""

    lead: str
    none_title: str
    none_text: str
    unknown: str
    candidate: str
    course: str
    course_lead: str
    loss: str
    delta: str
    kl: str
    step: str
    task: str
    chosen: str
    not_measured: str
    no_losses: str
    stopped: str
    not_recommended: str
    chosen_why: str
    reported: str
    sweep: str
    sweep_lead: str
    front: str
    dominated: str
    gain: str
    worst_guard: str
    lineage: str
    parent: str
    made: str
    seconds: str
    resumed: str
    method: str
    seed: str
    steps: str
    examples: str
    too_long: str
    tokens: str
    peak: str
    gpu_hours: str
    on_cpu: str
    device: str
    versions: str
    identity: str
    source: str
    rows: str
    taken: str
    dropped: str
    digest: str
    leaks: str
    no_leaks: str
    leak: str
    allowed: str
    config: str
    rewards: str
    probes: str


EN = TrainingWords(
    lead="How each candidate came to be: what it learned from, how that went, and which checkpoint was taken.",
    none_title="No candidate here was trained with harness",
    none_text="harness train writes a lineage beside the weights; this page reads it. Train one with:",
    unknown="Without a lineage, so nothing is known of how they were trained: {names}",
    candidate="Candidate",
    course="Course of the training",
    course_lead="On one axis of steps. The dashed line is the checkpoint that became the candidate; red is a guard "
    "that had regressed. KL: the distance to the base on guards, in nats a token.",
    loss="loss",
    delta="against the base (points)",
    kl="KL",
    step="step",
    task="task",
    chosen="chosen",
    not_measured="It was not measured while training: with eval: in its config, checkpoints are compared with the "
    "base.",
    no_losses="The log has no losses.",
    stopped="Stopped early: {why}",
    not_recommended="No checkpoint is recommended: {why}",
    chosen_why="Step {step}: {why}",
    reported="On the test half, asked once",
    sweep="Sweep: {suite}",
    sweep_lead="Gain on the target against the guard that lost most, with 95% intervals. A point on the front is "
    "beaten by none on both.",
    front="on the front",
    dominated="beaten by another",
    gain="gain on {task} (points)",
    worst_guard="worst guard (points)",
    lineage="Lineage",
    parent="Base",
    made="Trained",
    seconds="took {time}",
    resumed="resumed {count} times",
    method="Method",
    seed="Seed",
    steps="Steps",
    examples="Examples",
    too_long="{count:,} too long, left out",
    tokens="{count:,} tokens an epoch",
    peak="Peak GPU memory",
    gpu_hours="GPU-hours",
    on_cpu="none, on the CPU",
    device="Device",
    versions="Versions",
    identity="Identity",
    source="Source",
    rows="Rows",
    taken="Used an epoch",
    dropped="Left out",
    digest="Digest",
    leaks="Gold items in the data",
    no_leaks="none was found",
    leak="{found} of the {total} items of {goldset} ({verbatim} verbatim, {near} nearly)",
    allowed="trained on in spite of it",
    config="Config",
    rewards="Rewards",
    probes="The doctor warned",
)

ZH = TrainingWords(
    lead="每个候选的来历：学了什么、过程如何、取了哪个检查点。",
    none_title="这里没有用 harness 训练的候选",
    none_text="harness train 会在权重旁写下来历，本页读取它。可以这样训练：",
    unknown="没有来历记录，训练过程不明：{names}",
    candidate="候选",
    course="训练过程",
    course_lead="共用步数轴。虚线是成为候选的检查点；红色表示某守护任务已退步。KL：守护任务上与基座的距离（nat/词元）。",
    loss="损失",
    delta="相对基座（百分点）",
    kl="KL",
    step="步",
    task="任务",
    chosen="选中",
    not_measured="训练时没有测量：在配置里写 eval:，检查点就会与基座比较。",
    no_losses="日志中没有损失。",
    stopped="提前停止：{why}",
    not_recommended="没有可推荐的检查点：{why}",
    chosen_why="第 {step} 步：{why}",
    reported="测试半集，只问一次",
    sweep="扫描：{suite}",
    sweep_lead="目标的提升与退步最多的守护任务，附 95% 区间。前沿上的点没有被任何点同时超过。",
    front="在前沿上",
    dominated="被其他点超过",
    gain="{task} 的提升（百分点）",
    worst_guard="最差的守护任务（百分点）",
    lineage="来历",
    parent="基座",
    made="训练时间",
    seconds="用时 {time}",
    resumed="续训 {count} 次",
    method="方法",
    seed="种子",
    steps="步数",
    examples="样本",
    too_long="{count:,} 条过长未用",
    tokens="每轮 {count:,} 词元",
    peak="显存峰值",
    gpu_hours="GPU 小时",
    on_cpu="无，用的是 CPU",
    device="设备",
    versions="版本",
    identity="身份摘要",
    source="来源",
    rows="行数",
    taken="每轮使用",
    dropped="舍去",
    digest="摘要",
    leaks="数据中的金标题目",
    no_leaks="没有发现",
    leak="{goldset} 的 {total} 题中有 {found} 题（原文 {verbatim}，近似 {near}）",
    allowed="仍用于训练",
    config="配置",
    rewards="奖励",
    probes="体检警告",
)
