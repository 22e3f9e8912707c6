"""The tasks whose logs lie here, for inspect-ai 0.3.285.

In a folder with this file, `gold/` and the demo's models (`base/`, and `lora/`: lora_model_medical merged into it; the
tokenizer's class is PreTrainedTokenizerFast in both, since AutoTokenizer would replace that of Qwen2):

    ask() { inspect eval "tasks.py@$1" --model "hf/$2" -M "model_path=$2" "${@:3}"; }
    for model in base lora; do
      for task in medical_qa arithmetic; do
        ask $task $model -M do_sample=false --log-format eval --log-dir logs/$model
      done
    done
    ask medical_qa base --epochs 2 --limit 4 --temperature 1.5 --seed 3 --log-format json --log-dir logs/epochs
    ask tcm_choice base -M do_sample=false --log-format eval --log-dir logs/choice
    ask tcm_shuffled base -M do_sample=false --log-format eval --log-dir logs/shuffled
"""

import json
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import choice, exact, match
from inspect_ai.solver import generate, multiple_choice, prompt_template

SHORT = GenerateConfig(max_tokens=48)


def items(name: str) -> list[dict]:
    return [json.loads(line) for line in Path("gold", name).read_text(encoding="utf-8").splitlines()]


@task
def medical_qa() -> Task:
    """With the ids of the gold set, and every accepted answer."""
    samples = [Sample(input=i["question"], target=i["answer"], id=i["id"]) for i in items("medical-qa.jsonl")]
    ask = prompt_template("{prompt}\n请只写出答案，不要解释。")
    return Task(dataset=MemoryDataset(samples), solver=[ask, generate()], scorer=exact(), config=SHORT)


@task
def arithmetic() -> Task:
    """Without ids: inspect numbers the samples."""
    samples = [
        Sample(input=i["question"], target=i["answer"].rpartition(" ")[2]) for i in items("arithmetic-mini.jsonl")
    ]
    ask = prompt_template("{prompt}\n请写出计算过程，最后一行写“#### 答案”。")
    return Task(
        dataset=MemoryDataset(samples),
        solver=[ask, generate()],
        scorer=match(numeric=True),
        config=GenerateConfig(max_tokens=96),
    )


def choices() -> MemoryDataset:
    return MemoryDataset(
        [Sample(input=i["question"], choices=i["choices"], target=i["answer"]) for i in items("tcm-choice.jsonl")]
    )


@task
def tcm_choice() -> Task:
    return Task(dataset=choices(), solver=multiple_choice(), scorer=choice(), config=SHORT)


@task
def tcm_shuffled() -> Task:
    """Each option gets the letter of another."""
    dataset = choices()
    dataset.shuffle_choices(seed=7)
    return Task(dataset=dataset, solver=multiple_choice(), scorer=choice(), config=SHORT)
