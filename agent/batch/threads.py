"""How many threads a process may use: two processes of one thread each do more than one process of two."""

from __future__ import annotations

# What the numeric libraries read when they are loaded: OpenMP (torch, MKL, and our sessions of onnxruntime), OpenBLAS
# (numpy), numexpr, tokenizers.
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS", "RAYON_NUM_THREADS")


def thread_environment(threads: int) -> dict[str, str]:
    """Return the environment variables that must be there before a process starts."""
    return dict.fromkeys(_VARIABLES, str(threads))


def limit_threads(threads: int) -> None:
    """Hold OpenCV to `threads`, which reads no variable; the others did so when this process began."""
    import cv2

    cv2.setNumThreads(threads)
