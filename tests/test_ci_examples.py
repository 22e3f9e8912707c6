"""The examples for CI are run as they stand: every line of their scripts, in a shell, in a team's repository.

What a CI system does around the lines is done here: steps stop at the first that fails but for those that say
otherwise, and variables are set. `pip`, `gh`, `curl` and `git` are stood in for by scripts that write down what they
were asked; that the package installs from a clone is what `.ci/run` shows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from harness.comparison.results import Comparison
from harness.gold.goldset import load_goldset
from harness.report.markdown import LONGEST
from harness.suites.spec import load_suite

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "docs" / "examples"

#: A program of the CI's machine, which writes its arguments and what `--body-file` or `body=<` names.
STAND_IN = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
for word in "$@"; do
  case "$word" in
    summary.md) cp summary.md "$CALLS.body" ;;
    body=*) cp "${word#body=<}" "$CALLS.body" ;;
  esac
done
"""


@dataclass
class Repository:
    """A team's repository on the CI's machine."""

    folder: Path
    environment: dict[str, str]

    def sh(self, script: str, **variables: str) -> int:
        environment = {**self.environment, **variables}
        return subprocess.run(["bash", "-e", "-c", script], cwd=self.folder, env=environment, check=False).returncode

    @property
    def calls(self) -> str:
        place = Path(self.environment["CALLS"])
        return place.read_text() if place.exists() else ""

    @property
    def posted(self) -> str:
        """The comment that was posted."""
        return Path(self.environment["CALLS"] + ".body").read_text()


Make = Callable[[float, float], Repository]


@pytest.fixture
def repository(tmp_path: Path) -> Make:
    """Makes one whose harness.yaml has recorded outputs under the names of the examples."""
    folder, programs = tmp_path / "team", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name in ("gh", "curl", "git"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    (programs / "python").write_text(STAND_IN)
    (programs / "python").chmod(0o755)
    os.symlink(Path(sys.executable).parent / "harness", programs / "harness")

    def make(target: float, guards: float) -> Repository:
        """The base is right on half of everything, the candidate on `target` of the target and `guards` of the rest."""
        suite, _ = load_suite("medical")
        for name in ("base", "lora_model_medical"):
            lines = []
            for task in suite.tasks:
                share = 0.5 if name == "base" else target if task.role == "target" else guards
                items = load_goldset(task.goldset).items
                lines += [
                    {"task": task.name, "item_id": item.id, "output": item.answer[0] if n < share * len(items) else "?"}
                    for n, item in enumerate(items)
                ]
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        recorded = {name: {"replay": f"{name}.jsonl"} for name in ("base", "lora_model_medical")}
        (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": recorded}))
        environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "HARNESS_CACHE": str(tmp_path / "cache"),
            "LANG": "C.UTF-8",
            "CALLS": str(tmp_path / "calls"),
        }
        return Repository(folder, environment)

    return make


def github(team: Repository) -> int:
    """Run the job as GitHub does; the exit code of the first step that failed."""
    workflow: dict[Any, Any] = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    (job,) = workflow["jobs"].values()
    summary = team.folder / "step-summary.md"
    failed = 0
    for step in (step for step in job["steps"] if "run" in step):
        condition = step.get("if", "${{ success() }}")
        assert condition in ("${{ success() }}", "${{ !cancelled() }}"), condition
        if failed and condition == "${{ success() }}":
            continue
        values = {"${{ github.token }}": "token", "${{ github.event.pull_request.number }}": "7"}
        own = {name: values[value] for name, value in step.get("env", {}).items()}
        code = team.sh(step["run"], **workflow["env"], **own, GITHUB_STEP_SUMMARY=str(summary))
        failed = failed or code
    (uploaded,) = (step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", ""))
    assert all((team.folder / name).is_file() for name in uploaded.split())
    assert summary.read_text() == (team.folder / "summary.md").read_text()
    assert team.calls.splitlines()[-1] == "gh pr comment 7 --body-file summary.md --edit-last --create-if-none"
    return failed


def gitlab(team: Repository) -> int:
    """Run the job as GitLab does: `before_script` and `script` in one shell, `after_script` in another."""
    (job,) = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text()).values()
    variables = {**job["variables"], "HARNESS_REPOSITORY": "https://git.example/harness.git", "GATE_TOKEN": "token"}
    variables |= {"CI_API_V4_URL": "https://git.example/api/v4", "CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "7"}
    code = team.sh("\n".join([*job["before_script"], *job["script"]]), **variables)
    assert team.sh("\n".join(job["after_script"]), **variables) == 0
    paths = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]
    assert all((team.folder / name).is_file() for name in paths)
    assert team.calls.splitlines()[-1].endswith("https://git.example/api/v4/projects/1/merge_requests/7/notes")
    assert job["allow_failure"] == {"exit_codes": [4]}
    return code


@pytest.mark.parametrize("system", [github, gitlab])
@pytest.mark.parametrize(
    ("target", "guards", "code"), [(0.8, 0.5, 0), (0.8, 0.3, 1)], ids=["passes", "a guard regressed"]
)
def test_an_example_runs_as_written(
    repository: Make, system: Callable[[Repository], int], target: float, guards: float, code: int
) -> None:
    team = repository(target, guards)
    assert system(team) == code
    install = "python -m pip install --quiet ./finetune-harness[vllm]"
    assert install in team.calls.splitlines()
    comparison = Comparison.model_validate_json((team.folder / "comparison.json").read_text())
    assert comparison.comparisons[0].gate.exit_code == code
    cases = etree.parse(team.folder / "gate.xml").getroot()
    assert (cases.get("tests"), cases.get("failures")) == ("3", "2" if code else "0")
    assert "<!doctype html>" in (team.folder / "report.html").read_text()
    assert len(team.posted) <= LONGEST
    assert ("Gate: **failed**" if code else "Gate: **passed**") in team.posted


def test_a_job_that_could_not_ask_everything_still_reports(repository: Make) -> None:
    team = repository(0.8, 0.5)
    place = team.folder / "lora_model_medical.jsonl"
    place.write_text("\n".join(place.read_text().splitlines()[:-40]) + "\n")
    assert github(team) == 3
    assert "incomplete" in team.posted


@pytest.mark.parametrize("page", ["ci.md", "ci.zh.md"])
def test_the_pages_show_the_examples(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for name in ("github-actions.yml", "gitlab-ci.yml"):
        assert f"(examples/{name})" in text
