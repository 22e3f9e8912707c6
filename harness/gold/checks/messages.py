"""What each finding says, in English (the reports have the Chinese). `{count}` and a finding's values are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.gold.notice import NOTICES

Code: TypeAlias = Literal[
    "no-card", "card-digest", "card-items", "no-digest", "no-licence", "repeated-rows", "missing-question",
    "missing-answer", "ambiguous-options", "duplicate", "near-duplicate", "too-alike", "pattern", "contradiction",
    "likely-contradiction", "several-answers", "aliases-differ", "picture-contradiction", "trivial-question",
    "trivial-answer", "broken-choice", "twin-options", "long-question", "short-question", "long-answer",
    "short-answer", "leaked-answer", "reading-task", "letter-balance", "longest-option", "majority-answer",
    "empty-cell", "thin-cell", "thin-tier", "unlabelled", "label-spelling", "language-mix", "wrong-language",
    "damaged-text", "train-verbatim", "train-near", "train-passage", "few-items", "too-few-items",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """A finding in words, and what to do about it."""

    what: str
    remedy: str


_MEND = "Mend the card, so that others can tell what the set is and whether it was changed."
_LOOK = "Look at the source: what was left out is not measured."

MESSAGES: Mapping[Code, Message] = {
    "no-card": Message(NOTICES["no-card"], _MEND),
    "card-digest": Message(NOTICES["card-digest"], _MEND),
    "card-items": Message("the card says {said} items, the file holds {items}", _MEND),
    "no-digest": Message("the card states no digest; now it is {digest}", _MEND),
    "no-licence": Message("the card states no licence", _MEND),
    "repeated-rows": Message(NOTICES["repeated-rows"], _LOOK),
    "missing-question": Message(NOTICES["missing-question"], _LOOK),
    "missing-answer": Message(NOTICES["missing-answer"], _LOOK),
    "ambiguous-options": Message(NOTICES["ambiguous-options"], _LOOK),
    "duplicate": Message(
        "the same question with the same answer stands more than once ({count} questions)",
        "Keep one of each: asked twice it counts twice, and every interval comes out too narrow.",
    ),
    "near-duplicate": Message(
        "{count} pairs of questions are nearly the same (Jaccard index {threshold:g} or more)",
        "Keep one of each, or give them the same 'cluster', which counts them as one.",
    ),
    "too-alike": Message(
        "so many questions are alike that not every pair could be compared",
        "Most items come from a few templates: give the items of one template one 'cluster', and check again.",
    ),
    "pattern": Message(
        "{items} items follow {count} patterns in which only a number or a word changes (the largest has {largest})",
        "Different questions, but not independent ones: if a pattern is one skill, give its items one 'cluster'.",
    ),
    "contradiction": Message(
        "the same question has different answers ({count} questions): whatever a model says, one of them is wrong",
        "Correct the wrong answer, or list both as accepted answers of one item.",
    ),
    "likely-contradiction": Message(
        "questions that differ only in filler words have different answers ({count} questions)",
        "Read them: one answer is wrong, or the question needs what tells the two apart.",
    ),
    "several-answers": Message(
        "the same question has several long answers ({count} questions)",
        "Keep one item with the best answer, or give them one 'cluster': they are one question.",
    ),
    "aliases-differ": Message(
        "the same question accepts one answer here and a longer form of it there ({count} questions)",
        "Make it one item that accepts both forms.",
    ),
    "picture-contradiction": Message(
        "the same picture is asked about in the same words with different answers ({count} pictures)",
        "Look at the picture, correct the wrong answer and keep one item.",
    ),
    "trivial-question": Message(
        "{count} questions say nothing (empty, '无', punctuation only)", "Take them out, or write the question."
    ),
    "trivial-answer": Message(
        "{count} answers are placeholders ('无', '不知道', 'N/A', punctuation only)",
        "Write the answer or take the item out: any model is wrong on it, or right by luck.",
    ),
    "broken-choice": Message(
        "{count} items have options, and an answer that names none of them",
        "Write the letter of the right option, or its text exactly.",
    ),
    "twin-options": Message(
        "{count} items offer the same option twice",
        "Replace one of the two: whoever picks the other one is marked wrong.",
    ),
    "long-question": Message(
        "{count} {language} questions are far longer than the rest (median {median:g} characters, from {limit:g})",
        "Look whether several questions or a whole document ended up in one item.",
    ),
    "short-question": Message(
        "{count} {language} questions are far shorter than the rest (median {median:g} characters, up to {limit:g})",
        "Look whether a part was cut off.",
    ),
    "long-answer": Message(
        "{count} {language} answers are far longer than the rest (median {median:g} characters, from {limit:g})",
        "Long answers are hard to match: look whether an explanation ended up in the answer.",
    ),
    "short-answer": Message(
        "{count} {language} answers are far shorter than the rest (median {median:g} characters, up to {limit:g})",
        "Look whether a part was cut off.",
    ),
    "leaked-answer": Message(
        "the answer stands in the question ({count} items)",
        "Ask so that the question does not give it away; a model that repeats the question scores here.",
    ),
    "reading-task": Message(
        "in {count} of {asked} items the answer stands in the question, as in reading or copying tasks",
        "Nothing, if that is meant.",
    ),
    "letter-balance": Message(
        "the right options are unevenly spread: {spread} (chi-square p = {p:.2g}); "
        "always answering {letter} scores {share:.0%}",
        "Shuffle the options, so that a liking for one letter wins nothing.",
    ),
    "longest-option": Message(
        "the right option is the longest one in {share:.0%} of the items (chance: {chance:.0%})",
        "Make the options equally long: always picking the longest must not pay.",
    ),
    "majority-answer": Message(
        "{answer!r} is right for {hits} of {asked} items: always saying it scores {share:.0%}",
        "Balance the answers, or set the task's 'floor' to this share.",
    ),
    "empty-cell": Message(
        "{count} of {cells} combinations of topic and difficulty hold no item",
        "Fill them, or do not speak of those combinations.",
    ),
    "thin-cell": Message(
        "{count} of {cells} combinations of topic and difficulty hold fewer than {least} independent items",
        "So few show no difference at all: read such slices as hints, or add items.",
    ),
    "thin-tier": Message(
        "difficulty {tiers} holds fewer than {least} independent items and can show no difference, however large",
        "Add items of this difficulty, or merge the tier with another.",
    ),
    "unlabelled": Message("{count} items have no {key!r}, the others do", "Label them too: no slice will hold them."),
    "label-spelling": Message(
        "{key!r} writes one label in several ways: {spellings}", "Choose one spelling, or one slice becomes several."
    ),
    "language-mix": Message(
        "the set mixes languages: {mix}", "Slice by language, or a change in one can hide in the other."
    ),
    "wrong-language": Message(
        "{count} items declare a language that their text is not in",
        "Correct 'metadata.language': it chooses the prompt.",
    ),
    "damaged-text": Message(
        "{count} items hold damaged text (replacement characters, text read in a wrong encoding, HTML)",
        "Import the source again in the right encoding, and clean the markup.",
    ),
    "train-verbatim": Message(
        "{count} items stand in the training data word for word ({answered} with their answer)",
        "Take them out of the gold set (or out of training, and train again): they measure memory.",
    ),
    "train-near": Message(
        "{count} items have a near duplicate in the training data (Jaccard index {threshold:g} or more; "
        "{answered} with their answer)",
        "Read the pairs; take the items out of the gold set unless they ask something else.",
    ),
    "train-passage": Message(
        "{count} items share {words} words or {characters} Chinese characters in a row with the training data "
        "({answered} with their answer)",
        "Read the pairs: a shared document may give the answer away, a shared turn of phrase does not.",
    ),
    "few-items": Message(
        "{units} independent items show differences from {shown} points on only, "
        "where the sides disagree on a tenth of them",
        "Add items before you conclude from 'no difference'.",
    ),
    "too-few-items": Message(
        "{units} independent items show no difference, however large, where the sides disagree on a tenth of them",
        "Add items: nothing can be concluded from so few.",
    ),
}
