"""`geosleuth curate ...`: from raw material to what adapters are taught with.

Exit codes: 0 done, 2 bad input, 130 interrupted; what is long goes on where it stopped.
"""

from __future__ import annotations

import typer

from geosleuth.ui.curate.clues_command import clues
from geosleuth.ui.curate.exchange_command import export, import_decisions, queue
from geosleuth.ui.curate.explanations_command import explanations
from geosleuth.ui.curate.locatability_command import locatability
from geosleuth.ui.curate.pairs_command import pairs
from geosleuth.ui.curate.review_command import review

curate_commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Make and check what adapters are taught with."
)

curate_commands.command(short_help="Keep the clues that name a place; weights of classes.")(clues)
curate_commands.command(short_help="Keep the street views that show enough of their place.")(locatability)
curate_commands.command(short_help="Pairs of a data set, with hard negatives.")(pairs)
curate_commands.command(short_help="Have a teacher explain pairs; resumable.")(explanations)
curate_commands.command(short_help="Make a folder of items for people to judge.")(queue)
curate_commands.command(short_help="Judge them, in a browser.")(review)
curate_commands.command(short_help="Write decisions, revised pairs, or tasks for Label Studio.")(export)
curate_commands.command("import", short_help="Read decisions, or annotations of Label Studio.")(import_decisions)


@curate_commands.callback()
def _curate() -> None:
    """Make and check what adapters are taught with."""
