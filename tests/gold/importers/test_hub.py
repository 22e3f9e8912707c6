"""Data sets of Hugging Face and ModelScope, through their own clients, from a hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.gold.card import Card
from harness.gold.goldset import load_goldset
from harness.validation import read_yaml
from tests.gold.importers.commands import Done
from tests.gold.importers.local_hub import Dataset, LocalHub

OLD, NEW = "0123456789abcdef0123456789abcdef01234567", "89abcdef0123456789abcdef0123456789abcdef"
README = b"---\nlicense: cc-by-4.0\nlanguage: zh\n---\n# Questions\n"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    hub = LocalHub(tmp_path)
    yield hub
    hub.stop()


def table(*rows: tuple[str, str]) -> bytes:
    return "".join(f"{question},{answer}\n" for question, answer in (("question", "answer"), *rows)).encode()


def versions() -> Dataset:
    """A data set whose answer was corrected."""
    old = {"README.md": README, "qa.csv": table(("一年有几个月？", "十一"))}
    return Dataset({OLD: old, NEW: old | {"qa.csv": table(("一年有几个月？", "十二"))}}, {"main": NEW, "master": NEW})


def one(files: dict[str, bytes], *, gated: bool = False) -> Dataset:
    return Dataset({OLD: files}, {"main": OLD, "master": OLD}, gated)


def command(source: str, name: str, *options: str) -> list[str]:
    return ["goldset", "import", source, "--as", name, "--into", "sets", *options]


def card(hub: LocalHub, name: str) -> Card:
    return read_yaml(hub.home / "sets" / f"{name}.yaml", Card)


def source(hub: LocalHub, name: str) -> str:
    origin = card(hub, name).origin
    assert origin is not None
    return origin.source


def answers(hub: LocalHub, name: str) -> list[str]:
    return [item.answer[0] for item in load_goldset(hub.home / "sets" / f"{name}.jsonl").items]


def errors(hub: LocalHub, *done: Done) -> list[str]:
    """One line each; nothing may have been written."""
    for each in done:
        assert each.code == 2, each
        assert each.out == ""
        assert each.err.startswith("error: ")
        assert each.err.count("\n") == 1, each.err
    assert not list((hub.home / "sets").glob("*"))
    return [each.err for each in done]


def test_hugging_face(hub: LocalHub) -> None:
    hub.datasets = {
        "org/qa": versions(),
        "org/bare": one({"data/train-00000-of-00002.csv": table(("甲？", "一")), ".gitattributes": b"x",
                         "data/train-00001-of-00002.csv": table(("乙？", "二"))}),
    }  # fmt: skip
    online = hub.run(
        command("hf:org/qa", "newest"), command(f"hf:org/qa@{OLD}", "pinned"), command("hf:org/bare", "bare")
    )
    assert [done.code for done in online] == [0, 0, 0], online
    assert (source(hub, "newest"), answers(hub, "newest")) == (f"hf:org/qa@{NEW}", ["十二"])
    assert (source(hub, "pinned"), answers(hub, "pinned")) == (f"hf:org/qa@{OLD}", ["十一"])
    assert card(hub, "newest").licence == "cc-by-4.0"
    assert "no licence" not in online[0].out
    assert answers(hub, "bare") == ["一", "二"]
    assert card(hub, "bare").licence == "unknown"
    assert "warning  no licence is known" in online[2].out

    asked = len(hub.asked)
    (file,) = hub.run(command(f"hf:org/qa@{OLD}", "file", "--file", "qa.csv"))
    assert (file.code, card(hub, "file").origin) == (0, card(hub, "pinned").origin)
    assert len(hub.asked) == asked  # a commit never changes: what is cached of it is not asked for
    hub.stop()
    again = command("hf:org/qa", "newest-again"), command(f"hf:org/qa@{OLD}", "pinned-again")
    for done in (hub.run(*again), hub.run(*([*each, "--replace"] for each in again), HF_HUB_OFFLINE="1")):
        assert [each.code for each in done] == [0, 0], done
        for name in ("newest", "pinned"):
            first, second = card(hub, name), card(hub, f"{name}-again")
            assert second.digest == first.digest
            assert (second.origin, second.licence) == (first.origin, first.licence)
    assert len(hub.asked) == asked


def test_hugging_face_says_what_is_wrong(hub: LocalHub) -> None:
    qa = table(("甲？", "一"))
    hub.datasets = {
        "org/qa": versions(),
        "org/several": one({"train.csv": qa, "test.csv": qa}),
        "org/gated": one({"qa.csv": qa}, gated=True),
        "org/none": one({"README.md": README}),
    }
    done = hub.run(
        command("hf:org/absent", "a"),
        command("hf:org/qa@v9", "b"),
        command("hf:org/gated", "c"),
        command("hf:org/several", "d"),
        command("hf:org/several", "e", "--file", "tset.csv"),
        command("hf:org/none", "f"),
        command("hf:qa", "g"),
        command("hf:org/qa@", "h"),
        command(f"hf:org/q a@{OLD}", "i", "--file", "qa.csv"),
    )
    absent, revision, gated, several, misspelt, none, half, open_end, odd = errors(hub, *done)
    assert "hf:org/absent does not exist, or is private" in absent
    assert "set HF_TOKEN" in absent
    assert "hf:org/qa has no revision 'v9'" in revision
    assert "hf:org/gated is gated. Accept its terms" in gated
    assert "hf:org/several holds 2 files of rows. Choose with --file NAME or a pattern: test.csv, train.csv." in several
    assert "--file: hf:org/several has no file 'tset.csv'. Did you mean 'test.csv'?" in misspelt
    assert "hf:org/none holds no CSV" in none
    assert "Write hf:ORG/NAME[@REV]" in half
    assert "Write hf:ORG/NAME[@REV]" in open_end
    assert "hf:org/q a cannot be downloaded" in odd
    hub.stop()
    for offline in ({}, {"HF_HUB_OFFLINE": "1"}):
        (never,) = errors(hub, *hub.run(command("hf:org/qa", "never"), **offline))
        assert "hf:org/qa cannot be downloaded, and is not in the cache" in never
        assert "set HF_ENDPOINT" in never


def test_modelscope(hub: LocalHub) -> None:
    shards = {f"data/train-0000{n}-of-00002.csv": table((f"{n}？", str(n))) for n in range(2)}
    hub.datasets = {"org/qa": versions(), "org/shards": one(shards), "org/closed": one(shards, gated=True)}
    online = hub.run(
        command("ms:org/qa", "newest"), command(f"ms:org/qa@{OLD}", "pinned"), command("ms:org/shards", "shards")
    )
    assert [done.code for done in online] == [0, 0, 0], online
    assert (source(hub, "newest"), answers(hub, "newest")) == ("ms:org/qa@master", ["十二"])
    assert (source(hub, "pinned"), answers(hub, "pinned")) == (f"ms:org/qa@{OLD}", ["十一"])
    assert card(hub, "newest").licence == "cc-by-4.0"
    assert answers(hub, "shards") == ["0", "1"]

    hub.datasets["org/qa"].branches["master"] = OLD  # a branch that moves is read anew
    moved, absent, revision, closed = hub.run(
        command("ms:org/qa", "moved"),
        command("ms:org/absent", "a"),
        command("ms:org/qa@v9", "b"),
        command("ms:org/closed", "c"),
    )
    assert (moved.code, answers(hub, "moved")) == (0, ["十一"])
    for done, says in (
        (absent, "ms:org/absent does not exist. Check the name"),
        (revision, "ms:org/qa does not exist, or has no revision 'v9'"),
        (closed, "ms:org/closed may not be read. Accept its terms on its page, then set MODELSCOPE_API_TOKEN."),
    ):
        assert done.code == 2
        assert says in done.err
        assert done.err.count("\n") == 1, done.err

    hub.stop()
    shards_folder = hub.home / "ms" / "datasets" / "org--shards" / "snapshots" / "master" / "data"
    (shards_folder / "train-00001-of-00002.csv").unlink()
    commands = [command("ms:org/qa", "cached", "--replace"), command("ms:org/shards", "partly")]
    commands += [command("ms:org/closed", "never")]
    for offline in ({}, {"HF_HUB_OFFLINE": "1"}):
        cached, partly, never = hub.run(*commands, **offline)
        assert cached.code == 0, cached
        assert card(hub, "cached").digest == card(hub, "moved").digest
        assert card(hub, "cached").origin == card(hub, "moved").origin
        assert card(hub, "cached").licence == "cc-by-4.0"
        assert (partly.code, never.code) == (2, 2)
        assert "ms:org/shards is only partly in the cache (1 of 2 files). Import it once" in partly.err
        assert "ms:org/closed cannot be downloaded, and is not in the cache" in never.err
        assert (" is set)" in never.err) == bool(offline)
    assert not [path for path in (hub.home / "sets").iterdir() if path.stem in {"partly", "never", "a", "b", "c"}]


def test_a_card_names_a_data_set(hub: LocalHub) -> None:
    """Gold sets whose items stay on a hub come through the mirror, then from the cache: files and patterns."""
    hub.datasets = {"org/qa": versions()}
    sets = hub.home / "sets"
    sets.mkdir()
    for name, where in (
        ("hf", f"huggingface: org/qa, revision: {OLD}"),
        ("hf-newest", "huggingface: org/qa"),
        ("ms", f"modelscope: org/qa, modelscope_revision: {OLD}"),
        ("second", f"huggingface: org/absent, modelscope: org/qa, modelscope_revision: {OLD}"),
    ):
        for file in ("qa.csv", "*.csv"):
            (sets / f"{name}{'-all' if '*' in file else ''}.yaml").write_text(
                f"name: {name}\npurpose: p\nauthorship: a\nlicence: l\nlanguages: [zh]\n"
                f"map: {{question: question, answer: answer}}\nsource: {{{where}, file: '{file}'}}\n",
                encoding="utf-8",
            )
    names = sorted(path.name for path in sets.iterdir())
    for stopped in (False, True):
        if stopped:
            hub.stop()
        for name, done in zip(names, hub.run(*(["goldset", "show", f"sets/{name}"] for name in names)), strict=True):
            assert done.code == 0, (stopped, name, done)
            assert ("十二" if "newest" in name else "十一") in done.out
