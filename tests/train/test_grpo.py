"""Learning from rewards, for real, on the demo base."""

from __future__ import annotations

import json

import pytest

from harness.candidates.lineage import read_lineage
from harness.errors import InputError
from harness.scorers.rewards import REWARDS
from harness.train.config import GrpoConfig
from harness.train.rewards import find_rewards
from tests.train.conftest import Yard

GRPO = {
    "data": {"sums": "sums.jsonl"},
    "num_generations": 4,
    "per_device_train_batch_size": 16,
    "max_completion_length": 12,
    "max_seq_length": 96,
    "max_steps": 3,
    "gradient_accumulation_steps": None,
}

#: Worth more the more even digits stand in the answer: the base does this by chance alone.
EVEN = """
def even(text, gold):
    return sum(char in "02468" for char in text[:8]) / 8
"""


@pytest.fixture
def grpo(yard: Yard) -> Yard:
    yard.write(
        "sums.jsonl", [{"question": f"{a} + {b} = ?", "answer": f"#### {a + b}"} for a in range(9) for b in range(4)]
    )
    (yard.folder / "even.py").write_text(EVEN, encoding="utf-8")
    return yard


def test_what_is_rewarded_becomes_more_frequent(grpo: Yard) -> None:
    """Forty steps on a reward of the user's own; the candidate is registered, and its lineage tells what it earned."""
    config = grpo.config(
        **GRPO | {"max_steps": 40, "learning_rate": 1e-2, "max_grad_norm": 1.0}, rewards={"py:even.py:even": 2.0}
    )
    code, out, err = grpo("train", "grpo", config)
    assert code == 0, err
    assert "rewards    even × 2" in out
    assert "36 questions ÷ 4 a step" in out
    lineage = read_lineage(grpo.folder / "candidates" / "mine")
    assert lineage is not None
    assert (lineage.kind, lineage.rewards, lineage.learned_tokens) == ("grpo", {"even": 2.0}, None)
    earned = [point.rewards["even"] for point in lineage.losses]
    assert sum(earned[-5:]) > 1.5 * sum(earned[:5])
    assert lineage.losses[0].reward == pytest.approx(2.0 * earned[0], abs=1e-5)
    assert "mine:" in (grpo.folder / "harness.yaml").read_text(encoding="utf-8")


def test_the_five_rewards_are_the_scorers_own(grpo: Yard) -> None:
    found = find_rewards(GrpoConfig.model_validate({"name": "x", "base": "b", "data": {"a": "a"}}).rewards, grpo.folder)
    assert [reward.load() for reward in found] == [function for function, _ in REWARDS.values()]
    code, out, err = grpo("train", "grpo", grpo.config(**GRPO))
    assert code == 0, err
    assert "xml_count × 1, soft_format × 1, strict_format × 1, integer × 1, correctness × 1" in out
    lineage = read_lineage(grpo.folder / "candidates" / "mine")
    assert lineage is not None
    assert lineage.losses[0].rewards.keys() == REWARDS.keys()
    assert "rewarded alike" not in out


def test_a_reward_that_tells_nothing_apart_is_said_to_teach_nothing(grpo: Yard) -> None:
    (grpo.folder / "same.py").write_text("def same(text, gold):\n    return 1.0\n", encoding="utf-8")
    code, out, _ = grpo("train", "grpo", grpo.config(**GRPO, rewards=["py:same.py:same"]))
    assert code == 0
    assert "all answers to a question were rewarded alike" in out


def test_a_stopped_run_goes_on(grpo: Yard) -> None:
    settings = GRPO | {"rewards": ["py:broken.py:count"], "max_steps": 4, "save_steps": 2}
    (grpo.folder / "broken.py").write_text(
        "from pathlib import Path\n"
        "def count(text, gold):\n"
        "    seen = Path('seen')\n"
        "    seen.write_text(seen.read_text() + '.' if seen.exists() else '.')\n"
        "    return 1 / 0 if len(seen.read_text()) == 50 else len(text)\n",
        encoding="utf-8",
    )
    code, _, err = grpo("train", "grpo", grpo.config(**settings))
    assert code == 2
    assert "reward 'count': raised ZeroDivisionError" in err
    assert (grpo.folder / "candidates" / "mine.training" / "checkpoint-2" / "whole").exists()
    code, out, err = grpo("train", "grpo", "mine.yaml", "--resume")
    assert code == 0, err
    assert "step      3 " in out
    assert "step      2 " not in out


def test_questions_are_asked_as_the_candidate_is_asked_later(grpo: Yard) -> None:
    code, out, _ = grpo("train", "grpo", grpo.config(**GRPO, system="Think first."), "--dry-run")
    assert code == 0
    assert "system\\nThink first.<|im_end|>" in out
    assert out.count("asked: ") == 3
    assert "gold: '#### " in out
    assert not (grpo.folder / "candidates").exists()


@pytest.mark.parametrize(
    ("rewards", "says"),
    [
        (["corectness"], "unknown reward 'corectness'. Did you mean 'correctness'?"),
        (["py:even.py"], "names no function"),
        (["py:odd.py:odd"], "there is no such file"),
        (["py:even.py:evn"], "holds no function 'evn'. Did you mean 'even'?"),
        (["py:syntax.py:f"], "cannot be imported (SyntaxError"),
        (["py:even.py:even", "py:./even.py:even"], "two rewards are called 'even'"),
    ],
)
def test_a_reward_that_cannot_be_had_is_named(grpo: Yard, rewards: list[str], says: str) -> None:
    (grpo.folder / "syntax.py").write_text("def f(:", encoding="utf-8")
    code, _, err = grpo("train", "grpo", grpo.config(**GRPO, rewards=rewards))
    assert (code, says in err) == (2, True), err


def test_a_reward_that_is_no_number_stops(grpo: Yard) -> None:
    (grpo.folder / "none.py").write_text("def f(text, gold):\n    return None\n", encoding="utf-8")
    (reward,) = find_rewards({"py:none.py:f": 1.0}, grpo.folder)
    with pytest.raises(InputError, match="gave None, which is no finite number"):
        reward.load()("a", "b")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"num_generations": 3}, "num_generations (3) must divide"),
        ({"max_completion_length": 96}, "leaves no room for the prompt"),
        ({"packing": True}, "unknown key 'packing'"),
        ({"max_seq_length": 14}, "every question is longer than"),
        ({"use_vllm": True}, "use_vllm needs a GPU"),
        ({"rewards": []}, "rewards"),
    ],
)
def test_settings_that_cannot_be(grpo: Yard, settings: dict[str, object], says: str) -> None:
    code, _, err = grpo("train", "grpo", grpo.config(**GRPO | settings))
    assert (code, says in err) == (2, True), err


def test_gsm8k_rows_keep_their_gold_answers(grpo: Yard) -> None:
    """GSM8K's own form: the answer ends in #### and a number, which `correctness` reads."""
    row = {"question": "How many?", "answer": "Two and two.\n#### 1,234"}
    (grpo.folder / "gsm.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    code, out, _ = grpo("train", "grpo", grpo.config(**GRPO | {"data": {"gsm": "gsm.jsonl"}}), "--dry-run")
    assert code == 0
    assert "gold: 'Two and two.\\n#### 1,234'" in out
    assert REWARDS["correctness"][0]("<answer>\n1234\n</answer>", row["answer"]) == 2.0
