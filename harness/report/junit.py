"""The gate as JUnit XML, which every CI system shows: a test case for each task and each probe of the doctor."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from harness.errors import EXIT_INCOMPLETE, EXIT_INCONCLUSIVE, EXIT_OK
from harness.report.gate import gate_word, task_reason
from harness.report.numbers import interval, points, share
from harness.report.view import CandidateView, TaskView, View, task_notes
from harness.report.words import Words


def render_junit(view: View, words: Words) -> bytes:
    """One suite a candidate. A task that stops the gate is a failure, one that is incomplete is an error."""
    root = ET.Element("testsuites", name=view.comparison.suite)
    for candidate in view.candidates:
        root.append(_suite(view, candidate, words))
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(view: View, candidate: CandidateView, words: Words) -> ET.Element:
    name = f"{view.comparison.suite}.{candidate.name}"
    suite = ET.Element("testsuite", name=name)
    for task in candidate.tasks:
        suite.append(_task(name, task, words))
    for finding in candidate.findings:
        case = ET.SubElement(suite, "testcase", classname=f"{name}.doctor", name=finding.probe)
        if finding.status == "fail":
            ET.SubElement(case, "failure", type="doctor", message=finding.detail).text = finding.remedy
        elif finding.status == "skip":
            ET.SubElement(case, "skipped", message=finding.detail)
        else:
            ET.SubElement(case, "system-out").text = finding.detail
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    return suite


def _task(suite: str, task: TaskView, words: Words) -> ET.Element:
    result = task.result
    case = ET.Element("testcase", classname=f"{suite}.{result.role}", name=result.task)
    numbers = f"{share(result.base)} → {share(result.candidate)}, {points(result.delta)} {interval(result.ci)}"
    lines = [f"{result.metric}: {numbers}, n = {result.n}", *task_notes(task, words)]
    if task.code != EXIT_OK:
        kind = "error" if task.code == EXIT_INCOMPLETE else "failure"
        what = gate_word(task.code, words) if task.code in (EXIT_INCONCLUSIVE, EXIT_INCOMPLETE) else result.verdict
        problem = ET.SubElement(case, kind, type=str(what), message=task_reason(task, words))
        lost = ", ".join(flip.item_id for flip in task.lost)
        problem.text = "\n".join([*lines, f"{words.lost}: {lost}"] if lost else lines)
    else:
        ET.SubElement(case, "system-out").text = "\n".join(lines)
    return case
