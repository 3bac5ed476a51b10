"""The forms in which towns are written."""

from __future__ import annotations

from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.layouts import cvact as layout_cvact
from geosleuth.training.towns.layouts import cvusa as layout_cvusa
from geosleuth.training.towns.layouts import manifest as layout_manifest
from geosleuth.training.towns.layouts import street_views as layout_street_views
from geosleuth.training.towns.layouts import university as layout_university
from geosleuth.training.towns.layouts import vigor as layout_vigor
from geosleuth.training.towns.shots import Layout
from geosleuth.training.towns.world import World

LAYOUTS: dict[str, Layout] = {
    one.name: one
    for one in (
        layout_vigor.LAYOUT,
        layout_university.LAYOUT,
        layout_cvusa.LAYOUT,
        layout_cvact.LAYOUT,
        *layout_manifest.LAYOUTS,
        layout_street_views.LAYOUT,
    )
}


def layouts_of(world: World) -> list[Layout]:
    """Return the forms that a world is written in.

    Raises:
        InputError: One is unknown, named twice, or needs more towns.
    """
    known = ", ".join(LAYOUTS)
    for name in world.layouts:
        if name not in LAYOUTS:
            raise InputError("a layout of towns", f'"{name}"', f"Use some of: {known}.")
        if world.layouts.count(name) > 1:
            raise InputError("layouts of towns, each once", f'"{name}" twice', "Name it once.")
        least = LAYOUTS[name].least_towns
        if world.towns < least:
            raise InputError(f"{least} towns or more for {name}", f"{world.towns}", f"Ask for {least} towns at least.")
    return [LAYOUTS[name] for name in world.layouts]
