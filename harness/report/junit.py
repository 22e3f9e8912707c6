"""The gate as JUnit XML, which every CI system shows: a test case for each task and each probe of the doctor."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from harness.doctor.finding import Finding
from harness.errors import EXIT_INCOMPLETE, EXIT_INCONCLUSIVE, EXIT_OK
from harness.report.gate import gate_word, task_reason
from harness.report.numbers import interval, points, share
from harness.report.view import CandidateView, TaskView, View, task_notes
from harness.report.words import Words


def render_junit(view: View, words: Words) -> bytes:
    """One suite a candidate. What stops the gate is a failure, a task that is not complete is an error."""
    root = ET.Element("testsuites", name=view.comparison.suite)
    for candidate in view.candidates:
        root.append(_suite(view, candidate, words))
    _count(root)
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(view: View, candidate: CandidateView, words: Words) -> ET.Element:
    name = f"{view.comparison.suite}.{candidate.name}"
    suite = ET.Element("testsuite", name=name)
    for task in candidate.tasks:
        suite.append(_task(name, task, words))
    for probe in dict.fromkeys(finding.probe for finding in candidate.findings):
        suite.append(_probe(name, probe, [finding for finding in candidate.findings if finding.probe == probe]))
    _count(suite)
    return suite


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(total, str(sum(case.find(tag) is not None for case in cases)))


def _probe(suite: str, probe: str, findings: Sequence[Finding]) -> ET.Element:
    """All that a probe found is one case: a CI system keeps one of two cases of the same name."""
    case = ET.Element("testcase", classname=f"{suite}.doctor", name=probe)
    failed = [finding for finding in findings if finding.status == "fail"]
    if failed:
        message = "; ".join(finding.detail for finding in failed)
        ET.SubElement(case, "failure", type="doctor", message=message).text = "\n".join(f.remedy for f in failed)
    elif all(finding.status == "skip" for finding in findings):
        ET.SubElement(case, "skipped", message="; ".join(finding.detail for finding in findings))
    others = [finding.text for finding in findings if finding.status in ("pass", "warn")]
    if others:
        ET.SubElement(case, "system-out").text = "\n".join(others)
    return case


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
