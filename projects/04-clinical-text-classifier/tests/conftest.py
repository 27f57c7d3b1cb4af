"""A tiny encoder with random weights, exported once: nothing is trained and no published file is needed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from carefolio.config import project_home
from text_classifier.config import FOLDER

WORDS = ["doctor", "patient", "do", "you", "have", "any", "allergies", "allergy", "penicillin", "gives", "me", "a", "rash", "what", "take",
         "at", "home", "metformin", "twice", "day", "and", "lisinopril", "in", "the", "morning", "no", "yes", "pain", "chest", "fever",
         "since", "yesterday"]
LABELS = ("ALLERGY", "GENHX", "MEDICATIONS")
SAMPLES = [f"Doctor: {first} {second}? Patient: {second} {first} since yesterday." for first in WORDS[:8] for second in WORDS[8:14]]
RECORD = {"task": "headers", "labels": list(LABELS), "temperature": 1.5, "max_tokens": 48, "system": "minilm_full", "seed": 0,
          "base": {"name": "minilm", "revision": "0" * 64, "kind": "encoder"}, "threshold_95": 0.4, "valid_accuracy": 0.5}


def build_tokenizer() -> Any:
    """Make a fast tokenizer of word pieces."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *":?.,", *"abcdefghijklmnopqrstuvwxyz",
              *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    plain = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    plain.normalizer, plain.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    plain.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
                                   mask_token="[MASK]")


def build_encoder(vocabulary: int, *, labels: int = len(LABELS), seed: int = 0) -> Any:
    """Make a BERT of two layers whose random weights are large enough for labels to differ."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(seed)
    config = BertConfig(vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                        max_position_embeddings=64, num_labels=labels, initializer_range=0.3)
    return BertForSequenceClassification(config).eval()


@pytest.fixture(scope="session")
def tiny_tokenizer() -> Any:
    """Tokenizer of the tiny encoder."""
    return build_tokenizer()


@pytest.fixture(scope="session")
def tiny_encoder(tiny_tokenizer: Any) -> Any:
    """Tiny encoder with random weights."""
    return build_encoder(len(tiny_tokenizer))


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Any, tiny_tokenizer: Any) -> Path:
    """Folder of the tiny encoder, to be tuned."""
    folder = tmp_path_factory.mktemp("base")
    tiny_encoder.base_model.save_pretrained(folder, safe_serialization=True)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_artefacts(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Any, tiny_tokenizer: Any) -> Path:
    """Folder of artefacts in which the task ``headers`` has a model."""
    from text_classifier.export import export_onnx

    artefacts = tmp_path_factory.mktemp("run") / "artefacts"
    export_onnx(tiny_encoder, tiny_tokenizer, artefacts / "headers", record=RECORD, sample_texts=SAMPLES)
    return artefacts


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A repository of its own, with the chapter's folder in it and nothing else."""
    (tmp_path / "projects" / FOLDER).mkdir(parents=True)
    monkeypatch.setenv("CAREFOLIO_HOME", str(tmp_path))
    monkeypatch.delenv("CAREFOLIO_ARTEFACTS", raising=False)
    yield project_home(FOLDER)


@pytest.fixture(scope="session")
def make_gptj() -> Callable[..., Path]:
    """Function that writes a model of GPT-J's class with a few thousand random weights into a folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPTJConfig, GPTJForCausalLM, PreTrainedTokenizerFast

    def _make(folder: Path, *, seed: int = 0) -> Path:
        torch.manual_seed(seed)
        own = ("<pad>", "<unk>", "a", "cough", "fever", "has", "in", "knee", "left", "no", "pain", "patient", "the", "today")
        vocabulary = {word: place for place, word in enumerate(own)}
        words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<pad>", unk_token="<unk>").save_pretrained(folder)
        config = GPTJConfig(vocab_size=len(vocabulary), n_positions=64, n_embd=32, n_layer=2, n_head=2, rotary_dim=8)
        GPTJForCausalLM(config).save_pretrained(folder, safe_serialization=True)
        return folder

    return _make
