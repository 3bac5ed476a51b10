"""onnxruntime, which runs the networks that install with geosleuth, without the reports that it sends to its maker."""

from __future__ import annotations

import os
from typing import Any


def import_onnxruntime() -> Any:  # it has no type stubs
    """Import it so that it asks nobody anything; every use of it in geosleuth begins here.

    Version 1.31 looks its maker's server up when a network is loaded, to report the use: seen with strace. Only the
    variable keeps it from that, and only before the import. The function is for programs that had imported it before.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # worker processes inherit it
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
