"""Six families of tokenizers, as the models of the field have them, with tiny vocabularies that a test trains."""

import json
from collections.abc import Callable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "Question: Which animal barks?\nA: a cat\nB: a dog\nThe answer is A",
    "Question: Which is the colour of the sky? The answer is blue",
    "The answer is: a black dog or a blue bird, not the cat.",
    "Yes, the answer is no. No, the answer is yes.",
    "The answer is B. The answer is C. The answer is D.",
] * 8
LINES = [line for text in TEXTS for line in text.split("\n")]
"""What SentencePiece is trained on: no piece has a line break."""
SPECIALS = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_level_bpe() -> Tokenizer:
    """GPT-2 and Llama 3: bytes, words that begin with their space."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=SPECIALS, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def sentencepiece_bpe() -> Tokenizer:
    """Llama 2: SentencePiece's BPE, a text begins as if after a space; it begins with a token of its own."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=430, special_tokens=[*SPECIALS, *BYTES]))
    return _with_template(tokenizer, "<s> $A")


def unigram() -> Tokenizer:
    """T5 and Gemma: SentencePiece's unigrams, spaces normalised, the text ended by a token of its own."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIALS, unk_token="<unk>")
    tokenizer.train_from_iterator(TEXTS, trainer)
    return _with_template(tokenizer, "$A </s>")


def word_piece() -> Tokenizer:
    """BERT: words and their parts, in lower case, without spaces; between two tokens of its own."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=150, special_tokens=SPECIALS))
    return _with_template(tokenizer, "<s> $A </s>")


def byte_fallback_bpe() -> Tokenizer:
    """Gemma: BPE over pieces with ▁ for spaces, no pre-tokenizer; unknown characters as bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")  # SentencePiece's trainer joins no words
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=430, special_tokens=[*SPECIALS, *BYTES]))
    return Tokenizer.from_str(json.dumps(json.loads(tokenizer.to_str()) | {"pre_tokenizer": None}))


def ended_bpe() -> Tokenizer:
    """A byte-level BPE fine-tuned with add_bos_token and add_eos_token: a token before the text, and one after it."""
    return _with_template(byte_level_bpe(), "<s> $A </s>")


FAMILIES: dict[str, Callable[[], Tokenizer]] = {
    "byte-level BPE": byte_level_bpe,
    "SentencePiece BPE": sentencepiece_bpe,
    "unigram": unigram,
    "WordPiece": word_piece,
    "byte-fallback BPE": byte_fallback_bpe,
    "BPE with BOS and EOS": ended_bpe,
}


def fast(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """Return `tokenizer` as transformers loads it."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )


def _with_template(tokenizer: Tokenizer, single: str) -> Tokenizer:
    specials = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=specials)
    return tokenizer
