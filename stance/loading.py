"""From a model folder to a scorer: reads the tokenizer and chooses the backend."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from stance.errors import ModelError, StanceError
from stance.folder import TOKENIZER_FILE, read_settings
from stance.scoring import Forward, PairScorer


def load_scorer(folder: Path, *, backend: str = "auto", device: str | None = None) -> PairScorer:
    """Load a model folder with the network off.

    Raises:
        ModelError: the folder is missing, damaged or no stance model, or lacks what the backend needs.
    """
    if backend not in ("auto", "torch", "onnx"):
        raise StanceError(f"expected backend 'auto', 'torch' or 'onnx'; got {backend!r}; choose one")
    settings = read_settings(folder)
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return PairScorer(tokenizer, settings, _forward(folder, backend, device))
    except KeyError as error:
        raise ModelError(f"expected token {error} in {TOKENIZER_FILE}; got none; copy the folder anew") from None
    except StanceError:
        raise
    except Exception as error:  # tokenizers, safetensors and onnxruntime raise bare exceptions of their own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"expected a whole model in {str(folder)!r}; got {reason}; copy the folder anew") from error


def _forward(folder: Path, backend: str, device: str | None) -> Forward:
    from stance.model import load_torch  # noqa: PLC0415  # torch takes seconds to import

    return load_torch(folder, device)
