"""`embedding`: cosine of a local model's vectors, with a tiny BERT made here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.gold.item import Item
from harness.scorers.embedding import Embedding
from harness.scorers.registry import make_scorer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"头痛发热休息喝水药", "rest", "well", "pain", "now"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two small layers with random weights."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=12,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def _value(scorer: Embedding, output: str, *answers: str) -> float:
    (score,) = scorer.score(Item(question="?", answer=answers), output)
    assert score.value is not None
    return score.value


def _cosine(folder: Path, pooling: str, one: str, two: str) -> float:
    """The same with transformers' feature pipeline and torch's cosine."""
    import torch
    import transformers

    features = transformers.pipeline("feature-extraction", model=str(folder), tokenizer=str(folder), device="cpu")
    vectors = [torch.tensor(features(text))[0] for text in (one, two)]
    pooled = [states.mean(dim=0) if pooling == "mean" else states[0] for states in vectors]
    return float(torch.cosine_similarity(*pooled, dim=0))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_number_is_the_cosine_of_the_models_own_vectors(bert: Path, pooling: str) -> None:
    scorer = make_scorer({"embedding": {"model": str(bert), "pooling": pooling}})
    assert isinstance(scorer, Embedding)
    for one, two in (("头痛发热", "休息喝水"), ("rest well", "pain now"), ("药", "药 now")):
        expected = max(0.0, _cosine(bert, pooling, one, two))
        assert _value(scorer, one, two) == pytest.approx(expected, abs=1e-5)


def test_a_text_is_one_with_itself_and_the_closest_reference_counts(bert: Path) -> None:
    scorer = Embedding(model=str(bert))
    assert _value(scorer, "头痛发热", "头痛发热") == pytest.approx(1.0)
    assert _value(scorer, "头痛发热", "rest", "头痛发热") == pytest.approx(1.0)


def test_a_long_text_is_cut_at_what_the_model_takes(bert: Path) -> None:
    # Twelve positions: [CLS], ten characters, [SEP].
    scorer = Embedding(model=str(bert))
    assert _value(scorer, "头痛发热休" * 2 + "药药", "头痛发热休" * 2 + "水水") == pytest.approx(1.0)


def test_an_empty_output_is_unextracted_and_no_reference_unscored(bert: Path) -> None:
    item = Item(question="?", answer="x")
    (empty,) = Embedding(model=str(bert)).score(item, " ")
    assert (empty.value, empty.unextracted) == (0.0, True)
    (missing,) = Embedding(model=str(bert), reference="metadata.reference").score(item, "x")
    assert (missing.value, missing.note) == (None, "metadata.reference is missing or empty")


def test_the_signature_follows_the_models_content_not_its_place(bert: Path, tmp_path: Path) -> None:
    copy = tmp_path / "tiny-bert"
    copy.mkdir()
    for path in bert.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    signature = Embedding(model=str(bert)).signature
    assert signature.startswith("embedding|model:tiny-bert@")
    assert signature.endswith("|pool:mean|scale:max0(cosine)|ref:answer|agg:max|v:1")
    assert Embedding(model=str(copy)).signature == signature
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert Embedding(model=str(copy)).signature != signature
    assert Embedding(model=str(bert), pooling="cls").signature != signature


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make_scorer({"embedding": {"model": str(tmp_path)}})
    assert "scorers: embedding: model: must be a folder that holds a model" in str(caught.value)
    with pytest.raises(InputError, match="the option 'model' is missing"):
        make_scorer("embedding")


def test_nothing_heavy_is_imported_before_it_scores(bert: Path) -> None:
    code = (
        "import sys; from harness.scorers.registry import make_scorer\n"
        f"make_scorer({{'embedding': {{'model': {str(bert)!r}}}}}).signature\n"
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
