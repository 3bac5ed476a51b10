"""Which type of index a gallery gets, and why, in words."""

from __future__ import annotations

from dataclasses import dataclass

from geosleuth.indexes.gallery.manifest import IndexType


@dataclass(frozen=True)
class Limits:
    """Sizes at which the search changes its way."""

    exact_rows: int = 200_000  # compared one by one: 30 ms at 512 dimensions on one core, and nothing to train
    memory_bytes: int = 4_000_000_000  # for the codes of an approximate index; a machine of 8 GB can spare it


def choose_type(count: int, dimension: int, limits: Limits, *, faiss: bool) -> tuple[IndexType, str]:
    """Choose the type by size: exact while it is quick, then bytes, then product codes.

    Returns:
        The type, and the reason for it, without a full stop.
    """
    if count <= limits.exact_rows:
        return "flat", f"{count:,} references, no more than {limits.exact_rows:,}, are compared exactly within 50 ms"
    if not faiss:
        return "flat", (
            f"{count:,} references would be searched faster by faiss, which is missing: "
            "`pip install 'geosleuth[index]'` and add or build again"
        )
    many = f"{count:,} references are more than {limits.exact_rows:,}"
    memory = f"{limits.memory_bytes / 1e9:.1f} GB"
    byte_codes = count * dimension
    if byte_codes <= limits.memory_bytes:
        return "ivf-sq8", f"{many}, and a byte per component takes {byte_codes / 1e9:.1f} GB of at most {memory}"
    product_codes = count * product_parts(dimension) // 2
    return "ivf-pq", (
        f"{many}, a byte per component would take {byte_codes / 1e9:.1f} GB of at most {memory}, "
        f"and product codes take {product_codes / 1e9:.1f} GB"
    )


def list_count(count: int) -> int:
    """Cells of the coarse quantizer: the power of two nearest to 2 sqrt(n), at most 4,096.

    More cells would save microseconds of a query and cost minutes of a build: each vector is compared with each
    cell's centre. Measured at 200,000 x 512 with product codes: looking into 32 of 512 cells, built in 7 s, gives
    recall@10 .996 in 0.10 ms; 8 of 2,048 cells, built in 30 s, 1.000 in 0.09 ms.
    """
    wanted = 2.0 * count**0.5
    power = 1
    while power * 2**0.5 < wanted:  # nearest by ratio
        power *= 2
    return min(4096, power)


def product_parts(dimension: int) -> int:
    """Parts that product quantization cuts a vector into: four components each, coded by 4 bits.

    Measured at 200,000 x 512 with 100 candidates re-scored: 128 parts of 4 bits, trained in 4 s, recall@10 .996 at
    0.1 ms; 64 parts of 8 bits, the same memory, trained in 160 s, .996 at 0.6 ms.
    """
    return max(parts for parts in range(1, max(1, dimension // 4) + 1) if dimension % parts == 0)
