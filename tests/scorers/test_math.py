"""`math`: results are found where answers state them and compared as mathematics, whatever the expressions are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from math_verify import parse, verify

from harness.gold.item import Item
from harness.scorers import _math_answers
from harness.scorers._math_process import Verdict, Worker
from harness.scorers.math import Math, same

MATH = Math()


def _values(output: str, *answers: str) -> tuple[float | None, ...]:
    return tuple(score.value for score in MATH.score(Item(question="?", answer=answers), output))


def _value(output: str, *answers: str) -> float | None:
    return _values(output, *answers)[0]


def _math500(folder: Path) -> list[dict[str, str]]:
    lines = (folder / "reasoning" / "math500" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 500
    return [json.loads(line) for line in lines]


# --- published sets -----------------------------------------------------------------------------------------------


def _stated(answer: str) -> Iterator[str]:
    """Ways in which outputs state a result."""
    yield answer
    yield f"So the area is \\boxed{{{answer}}}."
    yield f"Thus the answer is $\\boxed{{{answer}}}$. (There were 17 cases.)"
    yield f"The final answer is ${answer}$. I hope it is correct."
    yield f"**Answer:** {answer}"
    yield f"所以答案是 ${answer}$。"
    yield f"答案是{answer}。"
    yield f"Therefore \\({answer}\\)."
    yield f"Hence\n\\[\n{answer}\n\\]"
    yield f"Hence\n$$ {answer} $$\n"


def _rewritten(answer: str) -> Iterator[str]:
    """Trivially different LaTeX of one result."""
    yield answer.replace(r"\frac", r"\dfrac")
    yield answer.replace(r"\dfrac", r"\frac").replace(r"\frac", r"\tfrac")
    yield answer.replace(r"\left", "").replace(r"\right", "")
    yield f" {answer} "
    if not re.search(r"\\!|\{,\}|\\left", answer):
        yield answer.replace(",", " , ").replace("+", " + ").replace("=", " = ")
    if "\\left" not in answer and not re.search(r"[\[\]]", answer):
        yield answer.replace("(", r"\left(").replace(")", r"\right)")
    if re.fullmatch(r"-?\d+", answer):
        yield from (f"{answer}.0", f"{answer}.", f"${answer}$", f"x = {answer}", f"\\text{{{answer}}}")
        yield answer.translate({ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"})
    if re.fullmatch(r"\d+", answer):
        yield from (f"\\${answer}", f"{answer}\\%", f"{answer}^\\circ", f"{answer}^{{\\circ}}", f"{answer}°")
        yield from (f"{answer}\\text{{ cm}}", f"{answer} \\text{{ cm}}^2", f"{int(answer):,}")
    if re.fullmatch(r"\\text\{[^}]*\}", answer):
        yield from (answer[6:-1], answer.replace("text", "textbf"), answer.lower())


def test_every_math500_answer_equals_itself_however_it_is_stated(shared_data: Path) -> None:
    for row in _math500(shared_data):
        for output in _stated(row["answer"]):
            assert _value(output, row["answer"]) == 1.0, (row["answer"], output)


def test_every_math500_answer_equals_its_trivial_rewritings(shared_data: Path) -> None:
    for row in _math500(shared_data):
        for rewritten in _rewritten(row["answer"]):
            assert _values(f"\\boxed{{{rewritten}}}", row["answer"]) == (1.0, 1.0), (row["answer"], rewritten)


def test_every_math500_solution_states_its_answer(shared_data: Path) -> None:
    for row in _math500(shared_data):
        stated = _math_answers.gold(row["solution"])
        # One solution boxes its result twice, as a mixed number "or" as a fraction.
        assert stated == row["answer"] or stated == r"15\frac{39}{40}, \frac{639}{40}"
        assert _values(row["solution"], row["answer"]) == (1.0, 1.0)
        assert _value(row["answer"], row["solution"]) == 1.0


def test_a_changed_number_in_a_math500_answer_makes_it_another_one(shared_data: Path) -> None:
    for row in _math500(shared_data):
        answer = row["answer"]
        for found in re.finditer(r"\d+", answer):
            if "^" in answer[: found.start()][-2:] and "box" in answer:
                continue  # units are not compared: cm^2
            changed = f"{answer[: found.start()]}{int(found[0]) + 1}{answer[found.end() :]}"
            assert same(answer, changed) is not Verdict.EQUAL, (answer, changed)


def test_different_math500_answers_are_as_different_as_math_verify_says(shared_data: Path) -> None:
    answers = sorted({row["answer"] for row in _math500(shared_data)}, key=lambda text: (len(text), text))
    for one, two in pairwise(answers):
        expected = verify(parse(f"${one}$"), parse(f"${two}$"), allow_set_relation_comp=True)
        assert (same(one, two) is Verdict.EQUAL) == expected, (one, two)


def test_every_aime_answer_equals_itself_with_and_without_leading_zeros(shared_data: Path) -> None:
    lines = (shared_data / "reasoning" / "aime24" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 30
    for line in lines:
        answer = str(json.loads(line)["answer"])
        number = int(answer)
        assert 0 <= number <= 999
        for gold in (answer, f"{number:03}"):
            for output in (
                answer,
                f"{number:03}",
                f"\\boxed{{{number}}}",
                f"答案是{number}。",
                f"m+n = \\boxed{{{number:03}}}",
            ):
                assert _value(output, gold) == 1.0
            assert _value(f"\\boxed{{{number + 1}}}", gold) == 0.0
            assert _value(f"\\boxed{{{number * 10}}}", gold) == 0.0


# --- traps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "gold", "right"),
    [
        ("1000", "1,000", True), ("1,000", "1000", True), (r"10,\!080", "10080", True), ("10", "1,000", False),
        ("$18.00", "18", True), ("The answer is $18.00.", "18", True), (r"\$18", "18.00", True),
        ("十二", "12", True), ("答案是十二，这些都是苹果", "12", True), ("答案是二分之一", r"\frac{1}{2}", True),
        ("-3", "-3", True), ("−3", "-3", True), ("－３", "-3", True), ("3", "-3", False),
        ("50%", "50%", True), ("50", "50%", True), ("0.5", "50%", True), (r"50\%", "0.5", True), ("½", "50%", True),
        ("0.5%", "0.5", False), ("0.5", "0.5%", False), ("5%", "50%", False),
        ("0.5", r"\frac{1}{2}", True), (r"\frac12", "0.5", True), ("1/2", r"\frac{1}{2}", True),
        (r"\frac{2}{4}", r"\frac{1}{2}", True), ("0.333", r"\frac{1}{3}", False), ("1 1/2", r"\frac{3}{2}", True),
        ("11/2", "1 1/2", False), (r"1\frac{1}{2}", "1.5", True),
        ("√2", r"\sqrt{2}", True), ("2*sqrt(2)", r"\sqrt{8}", True), ("2π", r"2\pi", True), ("x**2", "x^2", True),
        ("x²+1", "1+x^2", True), ("(x+1)^2", "x^2+2x+1", True), ("(x+1)^2", "x^2+1", False),
        ("2,1", "1,2", True), ("(2,1)", "(1,2)", False), ("{2, 1}", r"\{1,2\}", True), ("[1,2]", "[1,2)", False),
        ("x<5", r"(-\infty,5)", True), (r"(-\infty,5)", "x<5", True), ("x=5", "5", True), ("5", "x=5", True),
        ("90 degrees", r"90^\circ", True), ("90°", "90", True),
        ("4210_7", "4210_5", False), ("4210_{5}", "4210_5", True), (r"1101_{\text{two}}", "1101_2", True),
        ("4210", "4210_5", True),
        ("seat", r"\text{east}", False), ("East", r"\text{east}", True),
        ("C", r"\text{(C)}", True), ("偶数", "偶数", True),
        ("无解", "有解", False), ("no solution", r"\text{No solution}", True),
        ("5 apples", "5", True), (r"\text{5 apples}", "5", True), ("5 or 6", "5", False), ("6 apples", "5", False),
        (r"18\text{ eggs}", "18", True), ("五个", "5", True), ("18", "18 eggs", True),
        ("0.0000002", "0.0000001", False), ("18.9", "18.90", True), ("3.1415927", "3.1415926", True),
        (r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}", True),
    ],
)  # fmt: skip
def test_known_traps(output: str, gold: str, right: bool) -> None:
    assert _value(output, gold) == float(right)
    assert _values(f"\\boxed{{{output}}}", gold) == (float(right), float(right))


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (r"\boxed{4} or rather \boxed{5}", "5"), (r"\boxed{\frac{1}{2}} is the sum of 3 parts", r"\frac{1}{2}"),
        (r"\boxed{5} and \boxed{\frac{1", "5"), (r"\boxed{1} and \boxed{-2}", "1, -2"), (r"\boxed{5}, \boxed{5}", "5"),
        (r"\fbox{7}", "7"), (r"<think>\boxed{4}</think> It is \boxed{5}", "5"),
        ("The answer is 18. She started with 20 eggs.", "18"), ("The answer is $35 and not $7.", "35"),
        ("答案是 18 元，占 30%", "18"), ("最终答案为：\n7", "7"), ("答：一共2个。", "2"),
        ("#### 18\nShe had 20.", "18"),
        ("**Final Answer**\n\n$$\\frac{3}{4}$$", r"\frac{3}{4}"),
        ("The answer is $x=1$ or $x=-2$ as 3 > 0.", "x=1, x=-2"),
        ("The answer is: no solution", "no solution"), ("so the answer is Evelyn.", "Evelyn"),
        ("We have $x=5$. Thus there are 7 apples.", "7"), ("With 7 apples $x=5$.", "x=5"), ("from $5 to $15", "15"),
        ("The result is x^2+1.", "x^2+1"), ("x + 3 = 8, 所以 5 个", "5"), ("East", "East"),
    ],
)  # fmt: skip
def test_the_result_is_found_where_it_is_stated(output: str, found: str) -> None:
    assert _math_answers.stated(output) == found


@pytest.mark.parametrize(
    "output", ["", "  ", "I do not know how to solve this problem at all.", r"\boxed{}", "x" * 5000]
)
def test_without_a_result_the_output_is_unextracted(output: str) -> None:
    scores = MATH.score(Item(question="?", answer="5"), output)
    assert [(score.value, score.unextracted) for score in scores] == [(0.0, True)] * 2


def test_only_a_box_counts_for_math_boxed() -> None:
    scores = MATH.score(Item(question="?", answer="5"), "The answer is 5.")
    assert [(score.value, score.unextracted) for score in scores] == [(1.0, False), (0.0, True)]


@pytest.mark.parametrize(
    ("gold", "found"),
    [
        ("025", "025"), (r"We get \boxed{\frac{3}{4}}.", r"\frac{3}{4}"), ("6 * 3 = <<6*3=18>>18\n#### 18", "18"),
        ("18 eggs", "18"), ("十二个", "12"), ("$x$", "x"), ("east", "east"),
        ("The proof is left to the reader as an exercise.", None), ("", None),
    ],
)  # fmt: skip
def test_accepted_answers_may_be_bare_boxed_or_solutions(gold: str, found: str | None) -> None:
    assert _math_answers.gold(gold) == found


def test_a_gold_answer_that_states_nothing_leaves_the_item_unscored() -> None:
    item = Item(question="?", answer="The proof is left to the reader as an exercise.")
    scores = MATH.score(item, r"\boxed{5}")
    assert [score.value for score in scores] == [None, None]
    assert "state no result" in scores[0].note


def test_a_gold_answer_that_no_parser_reads_is_unscored_unless_it_is_given_word_for_word() -> None:
    gold = r"\frac{1}{"
    assert _value(gold, gold) == 1.0
    score = MATH.score(Item(question="?", answer=gold), "5")[0]
    assert (score.value, score.note) == (None, r"the accepted answer '\\frac{1}{' cannot be read as mathematics")


def test_any_accepted_answer_is_right() -> None:
    assert _value(r"\boxed{7}", "5", "seven", "7") == 1.0


# --- what hangs ------------------------------------------------------------------------------------------------------

TOWER = "9^{9^{9^9}}"


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker(budget=1.0)
    yield made
    made.close()


@pytest.mark.parametrize("answer", [TOWER, r"\binom{10^{10}}{10^9}", "(((10^{100})!)!)!"])
def test_an_answer_that_cannot_be_evaluated_is_read_as_none_and_the_next_one_is_fine(
    worker: Worker, answer: str
) -> None:
    started = time.process_time()
    assert worker.compare("5", answer) is Verdict.UNREADABLE_ANSWER
    assert worker.compare("5", "2+3") is Verdict.EQUAL
    assert time.process_time() - started < 1.0  # the work was done elsewhere


def test_a_comparison_that_runs_out_of_time_is_undecided(worker: Worker) -> None:
    assert worker.compare(TOWER, "5") is Verdict.UNDECIDED


def test_an_undecided_comparison_leaves_the_item_unscored(monkeypatch: pytest.MonkeyPatch, worker: Worker) -> None:
    monkeypatch.setattr("harness.scorers.math.compare", worker.compare)
    item = Item(question="?", answer=TOWER)
    score = MATH.score(item, r"\boxed{x+1}")[0]
    assert score.value is None
    assert "ran out of time or memory" in score.note
    assert MATH.score(item, rf"\boxed{{{TOWER}}}")[0].value == 1.0


def test_python_powers_are_read_like_latex_ones(monkeypatch: pytest.MonkeyPatch, worker: Worker) -> None:
    monkeypatch.setattr("harness.scorers.math.compare", worker.compare)
    score = MATH.score(Item(question="?", answer="5"), r"\boxed{9**9**9**9}")[0]
    assert (score.value, score.extracted) == (0.0, "9**9**9**9")


def test_it_works_off_the_main_thread() -> None:
    # math-verify itself refuses: its timeout needs signals.
    found: list[float | None] = []
    threads = [
        threading.Thread(
            target=lambda n=n: found.append(_value(rf"\boxed{{\frac{{{n}}}{{{n + 7}}}}}", f"{n}/{n + 7}+0x"))
        )
        for n in range(20, 28)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1.0] * 8


def test_a_forked_process_has_its_own() -> None:
    code = (
        "import os\n"
        "from harness.scorers._math_process import compare\n"
        "assert compare('x+1', '1+x').value == 'equal'\n"
        "pid = os.fork()\n"
        "assert compare('x+2', '2+x').value == 'equal' and compare('x+2', '3+x').value == 'different'\n"
        "if pid: print(os.waitpid(pid, 0)[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["0"]


@given(st.text(alphabet="0123456789+-*/^_{}()[]\\$,. fracsqtboxed=是答案:") | st.text())
def test_any_output_is_read_quickly_and_without_fault(output: str) -> None:
    _math_answers.stated(output)
    _math_answers.gold(output)


@pytest.mark.parametrize("unit", ["$", "\\boxed{", "\\(", "answer is ", "答案是", "1,", "{", "(", "a b ", "$1$ and "])
def test_long_outputs_are_read_in_linear_time(unit: str) -> None:
    started = time.process_time()
    _math_answers.stated(unit * (40_000 // len(unit)))
    assert time.process_time() - started < 2.0


def test_sympy_is_not_imported_here() -> None:
    code = (
        "from harness.gold.item import Item\n"
        "from harness.scorers.registry import make_scorer\n"
        "scorer = make_scorer('math')\n"
        "assert scorer.score(Item(question='?', answer='025'), 'The answer is 25.')[0].value == 1.0\n"
        "import sys; print(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sympy", "math_verify", "antlr4"} & set(done.stdout.split())


def test_the_signature_names_what_compares() -> None:
    assert re.fullmatch(
        r"math\|norm:hendrycks1\+text1\|extract:boxed/mark/last1"
        r"\|verify:math-verify-[\d.]+/sympy-[\d.]+/latex2sympy2_extended-[\d.]+\|float:6\|budget:5cpu-s\|v:1",
        MATH.signature,
    )
