"""From a model folder to a scorer: reads the tokenizer and chooses the backend."""

from __future__ import annotations

import shutil
from pathlib import Path

from tokenizers import Tokenizer

from stance.errors import ModelError, StanceError
from stance.folder import ONNX_FILE, TOKENIZER_FILE, read_settings
from stance.scoring import CPU_TOKENS, GPU_TOKENS, Forward, PairScorer


def load_scorer(
    folder: Path, *, backend: str = "auto", device: str | None = None, threads: int | None = None
) -> PairScorer:
    """Load a model folder with the network off.

    Raises:
        ModelError: the folder is missing, damaged or no stance model, or lacks what the backend needs.
    """
    if backend not in ("auto", "torch", "onnx"):
        raise StanceError(f"expected backend 'auto', 'torch' or 'onnx'; got {backend!r}; choose one")
    if threads is not None and threads < 1:
        raise StanceError(f"expected threads of at least 1; got {threads!r}; raise it or leave it out")
    settings = read_settings(folder)
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        forward, max_tokens = _forward(folder, backend, device, threads)
        return PairScorer(tokenizer, settings, forward, max_tokens)
    except KeyError as error:
        raise ModelError(f"expected token {error} in {TOKENIZER_FILE}; got none; copy the folder anew") from None
    except StanceError:
        raise
    except Exception as error:  # tokenizers, safetensors and onnxruntime raise bare exceptions of their own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"expected a whole model in {str(folder)!r}; got {reason}; copy the folder anew") from error


def _forward(folder: Path, backend: str, device: str | None, threads: int | None) -> tuple[Forward, int]:
    """Choose the backend; return it with the columns that its batches hold at most."""
    path = folder / ONNX_FILE
    if backend == "auto":
        on_cpu = device == "cpu" or (device is None and not _has_gpu())
        backend = "onnx" if on_cpu and path.is_file() else "torch"
    if backend == "torch":
        from stance.model import find_device, load_torch  # noqa: PLC0415  # torch takes seconds to import

        found = find_device(device)
        return load_torch(folder, found, threads), CPU_TOKENS if found.type == "cpu" else GPU_TOKENS
    if not path.is_file():
        raise ModelError(f"expected {ONNX_FILE} in {str(folder)!r}; got none; choose backend='torch'")
    if device not in (None, "cpu"):
        raise StanceError(f"expected device 'cpu' with backend 'onnx'; got {device!r}; choose backend='torch'")
    from stance.runtime import OnnxForward  # noqa: PLC0415  # as for torch

    return OnnxForward(path, threads), CPU_TOKENS


def _has_gpu() -> bool:
    """Ask torch for a GPU, but only where a driver says that this is worth its import."""
    if not Path("/dev/nvidiactl").exists() and shutil.which("nvidia-smi") is None:
        return False
    import torch  # noqa: PLC0415  # as for torch in _forward

    return torch.cuda.is_available()
