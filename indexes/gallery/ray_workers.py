"""Encoding on Ray: each worker process takes chunks; the driver stores what comes back."""

from __future__ import annotations

import logging
import platform
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from geosleuth.indexes.encoders.encoder import Encoder
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.duplicates import Known
from geosleuth.indexes.gallery.encoding import Work, encode_chunks
from geosleuth.indexes.gallery.journal import Encoded
from geosleuth.indexes.gallery.listing import Chunk
from geosleuth.indexes.gallery.sources.source import Source

LOCAL = "local"
# A task decodes in one thread while its model runs in the other; a cluster runs as many tasks as it has CPUs.
_CPUS, _THREADS = 1, 1
_PATIENCE_S = 10.0  # for a connection; a cluster in reach answers within one
_QUEUED = 2  # chunks per CPU on their way, so that no worker waits for the driver


@dataclass(frozen=True)
class _Shipment:
    """Work as it travels: a model goes by its spec, since loaded models cannot be sent."""

    source: Source
    number: int
    encoder: str | Encoder
    weights_sha256: str
    known: Known | None


def encode_on_ray(work: Work, chunks: Iterable[Chunk], *, encoder: str | Encoder, address: str) -> Iterator[Encoded]:
    """Encode chunks on a cluster, in whatever order they are done.

    The source must lie where every worker sees it under the same path: on shared storage.

    Args:
        work: Source and encoder, as they are here.
        chunks: Read as they are needed.
        encoder: Its spec, which each worker process loads once; or an encoder that can be pickled.
        address: Of the cluster ("ray://HOST:10001", "HOST:6379", "auto"), or "local" for worker processes here.

    Raises:
        InputError: Ray is not installed, there is no cluster, or its workers do not see the source.
    """
    ray = _import_ray()
    started_here = not ray.is_initialized()
    if started_here:
        _connect(ray, address)
    try:
        shipment = _Shipment(work.source, work.number, encoder, work.encoder.weights_sha256, work.known)
        shared = ray.put(shipment)
        task = ray.remote(num_cpus=_CPUS, max_retries=3)(_encode_one)
        most = max(1, int(ray.cluster_resources().get("CPU", 1))) * _QUEUED
        waiting: list[Any] = []
        for chunk in chunks:
            waiting.append(task.remote(shared, chunk))
            if len(waiting) >= most:
                done, waiting = ray.wait(waiting)
                yield _result(ray, done[0])
        while waiting:
            done, waiting = ray.wait(waiting)
            yield _result(ray, done[0])
    finally:
        if started_here:
            ray.shutdown()


def _encode_one(shipment: _Shipment, chunk: Chunk) -> Encoded:
    """Run in a worker: one chunk, by the same code as without Ray.

    Raises:
        InputError: The worker has other weights, or does not see the source.
    """
    from geosleuth.indexes.encoders.load import load_encoder

    encoder = load_encoder(shipment.encoder) if isinstance(shipment.encoder, str) else shipment.encoder
    if encoder.weights_sha256 != shipment.weights_sha256:
        found = f"{encoder.weights_sha256[:12]} on the machine {platform.node()}, {shipment.weights_sha256[:12]} here"
        remedy = "Install the same version and weights on all machines."
        raise InputError(f"the same weights of {encoder.spec} everywhere", found, remedy)
    work = Work(shipment.source, shipment.number, encoder, shipment.known)
    (encoded,) = encode_chunks(work, [chunk], threads=_THREADS)
    return encoded


def _result(ray: Any, reference: Any) -> Encoded:
    try:
        encoded: Encoded = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, InputError):
            raise error.cause from error
        raise
    return encoded


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        found = f"no ray ({error})"
        raise InputError("Ray, for --ray", found, "Install it with `pip install 'geosleuth[scale]'`.") from error
    return ray


def _connect(ray: Any, address: str) -> None:
    options: dict[str, Any] = {"logging_level": logging.WARNING, "log_to_driver": False}
    try:
        _knock(address)
        if address == LOCAL:
            ray.init(include_dashboard=False, **options)
        else:
            ray.init(address, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        remedy = "Start it with `ray start --head`, check the address, or use --ray local."
        raise InputError(f"a Ray cluster at {address}", str(error).split("\n")[0], remedy) from error


def _knock(address: str) -> None:
    """Ray itself waits for minutes, then ends the process.

    Raises:
        OSError: Nobody answers there.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PATIENCE_S).close()
