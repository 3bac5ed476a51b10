"""Every fault that is injected somewhere, and where: most are tests already, and are named here, not repeated."""

from __future__ import annotations

from dataclasses import dataclass

HERE = "here"  # injected by faults.py itself, into works of tiny invented data


@dataclass(frozen=True)
class Fault:
    """One fault at one place."""

    fault: str
    at: str
    outcome: str  # what it ends in; of those injected here, what is to be found
    shown_by: str  # HERE, or a test as FILE::NAME below tests/


def _of(fault: str, *rows: tuple[str, str, str]) -> tuple[Fault, ...]:
    return tuple(Fault(fault, *row) for row in rows)


_STATED = "stated failure; what was saved stays, and the same command goes on"
_ANSWER = "an answer that names the tool that did not take part"
_RULES = "an answer; the rules plan in the model's place, and the trace says so"
_FAILS = "stated failure of the question; the answer goes on without the tool"
_TEACHER, _ENDPOINT = "training/gleam_x/test_teacher.py", "tools/vlm/test_endpoint.py"
_CASES, _BATCH, _INDEX = "agent/cases", "agent/batch/test_many.py", "indexes/gallery"

FAULTS: tuple[Fault, ...] = (
    *_of(
        "disk full",
        *((work, _STATED, HERE) for work in ("build", "add", "batch", "chat", "curation")),
        (
            "an index at its commit",
            "stated failure; the old index is whole",
            f"{_INDEX}/test_store.py::test_a_full_disk_is_said_and_leaves_the_index_whole",
        ),
        ("a faiss file", "stated failure", "hostile/test_faults.py::test_a_faiss_file_that_does_not_fit_is_told"),
        (
            "a case",
            "stated failure; the case is as it was",
            f"{_CASES}/test_store.py::test_a_full_disk_leaves_the_case_as_it_was",
        ),
        ("a case's state", "stated failure; no damage", f"{_CASES}/test_checkpoints.py::test_a_full_disk_is_no_damage"),
        (
            "the teacher's ledger",
            "stated failure; no torn line",
            "training/gleam_x/test_ledger.py::test_a_full_disk_is_told_once_and_tears_no_line",
        ),
        (
            "compiled tables",
            "stated failure, with the setting that names another folder",
            "indexes/test_compiled.py::test_a_full_disk_is_told_with_its_remedy",
        ),
        (
            "any file that appears whole",
            "the old content stays",
            "indexes/test_whole_file.py::test_a_disk_that_fills_up_at_the_flush_leaves_nothing",
        ),
        (
            "scores of a curation",
            "stated failure; the next run goes on",
            "training/locatability/test_score_set.py::test_a_full_disk_is_told_and_the_next_run_goes_on",
        ),
    ),
    *_of(
        "read-only",
        *((work, _STATED, HERE) for work in ("build", "add", "batch", "chat", "curation")),
        (
            "the cache folder",
            "what is compiled serves; else stated failure",
            "indexes/test_compiled.py::test_a_read_only_cache_is_told_but_serves_what_it_has",
        ),
    ),
    *_of(
        "out of memory",
        ("a tool", _ANSWER, "hostile/test_faults.py::test_a_tool_that_runs_out_of_memory_does_not_take_part"),
        (
            "the planner's model",
            "an answer; it is asked again",
            "agent/test_graph_faults.py::test_a_planner_that_fails_otherwise_is_asked_again",
        ),
        (
            "a worker, killed by the system",
            "the photo is tried once more, then stated as failed",
            f"{_BATCH}::test_a_worker_that_is_killed_is_replaced_and_its_photo_is_tried_once_more",
        ),
    ),
    *_of(
        "a tool that fails",
        ("any tool", _ANSWER, "agent/test_agent.py::test_a_tool_that_fails_does_not_take_part_and_the_run_goes_on"),
        ("a search of the gallery", _ANSWER, "agent/test_gallery_loop.py"),
    ),
    *_of(
        "a tool that hangs",
        ("an answer (chat, localize)", _ANSWER, "hostile/test_hanging_tool.py"),
        (
            "a photo of a batch",
            "the worker is ended, the photo stated as failed",
            f"{_BATCH}::test_a_worker_that_hangs_is_ended",
        ),
        (
            "the time of a run",
            "no further tool starts, and a note says so",
            "agent/test_agent.py::test_the_limit_of_time_starts_no_further_tool",
        ),
    ),
    *_of(
        "an endpoint that stalls",
        ("a question", _FAILS, f"{_ENDPOINT}::test_a_server_that_is_too_slow_is_waited_for_once"),
        (
            "comparisons",
            _FAILS,
            f"{_ENDPOINT}::test_a_server_that_is_slow_or_busy_ends_comparisons_and_may_be_asked_another_time",
        ),
        (
            "a teacher",
            "lived with; the next run asks the rest",
            f"{_TEACHER}::test_a_busy_a_failing_and_a_slow_server_are_lived_with",
        ),
    ),
    *_of(
        "an endpoint that drops or is away",
        ("a question", _FAILS, f"{_ENDPOINT}::test_a_server_that_is_away_is_given_up_for_the_photo"),
        ("the planner", _RULES, "agent/test_graph_faults.py::test_a_server_that_is_gone_is_asked_once"),
        (
            "an evaluation",
            "nothing that was answered is lost",
            "training/evaluate/vlm/test_prior.py::test_nothing_is_asked_twice_and_a_lost_server_loses_nothing",
        ),
    ),
    *_of(
        "429 and 500",
        (
            "a question: 429",
            "asked again when the server says",
            f"{_ENDPOINT}::test_a_busy_server_is_asked_again_when_it_says",
        ),
        (
            "a question: 500",
            "asked again, then stated failure",
            f"{_ENDPOINT}::test_a_server_that_fails_once_is_asked_again_and_one_that_fails_on_is_not",
        ),
        (
            "a teacher",
            "given up after five in a row; the report says what is left",
            f"{_TEACHER}::test_a_server_that_fails_on_is_given_up",
        ),
    ),
    *_of(
        "half a JSON",
        ("a response", _FAILS, f"{_ENDPOINT}::test_responses_of_no_such_server_are_explained"),
        (
            "a plan",
            _RULES,
            "agent/test_graph_faults.py::test_each_fault_is_returned_once_and_then_the_rules_take_the_step",
        ),
        (
            "a teacher's answer",
            "stated failure of the pair",
            f"{_TEACHER}::test_an_answer_that_is_no_protocol_is_a_failure",
        ),
    ),
    *_of(
        "a corrupt cache",
        ("compiled tables", "made anew", "indexes/test_compiled.py::test_a_table_that_lost_a_part_is_made_anew"),
        (
            "vectors of an evaluation",
            "encoded anew, with a warning",
            "hostile/test_faults.py::test_a_corrupt_cache_of_vectors_is_made_anew",
        ),
        (
            "notes of an evaluation",
            "made anew, with a warning",
            "hostile/test_faults.py::test_a_corrupt_note_is_made_anew",
        ),
        (
            "a batch's journal",
            "stated failure, which names the file to delete",
            "hostile/test_faults.py::test_a_corrupt_journal_is_named",
        ),
        (
            "a case's state",
            "stated failure; it can be forgotten, and answers stay",
            f"{_CASES}/test_checkpoints.py::test_a_state_that_is_damaged_is_named_and_can_be_forgotten",
        ),
        (
            "an unfinished build",
            "stated failure, which names the folder to delete",
            f"{_INDEX}/test_build.py::test_a_damaged_unfinished_build_says_what_to_delete",
        ),
        (
            "an index",
            "stated failure, which names the file",
            f"{_INDEX}/test_store.py::test_a_flipped_bit_anywhere_is_found",
        ),
        (
            "the teacher's ledger",
            "the line is counted, its question asked again",
            "training/gleam_x/test_ledger.py::test_a_torn_line_is_counted_and_does_not_spoil_the_next",
        ),
        (
            "answers of an evaluation",
            "half a line is cut off",
            "training/evaluate/vlm/test_answer_file.py::test_half_a_line_is_cut_off_and_the_next_answer_stands_alone",
        ),
        (
            "a case",
            "stated failure; no other case is hidden",
            f"{_CASES}/test_store.py::test_a_damaged_case_hides_no_other_and_can_be_deleted",
        ),
    ),
    *_of(
        "a killed process",
        (
            "build, add, batch, chat, curation",
            "nothing lost; see kills.py",
            "hostile/test_faults.py::test_a_case_that_is_killed_at_random_loses_nothing",
        ),
        (
            "a worker of a batch",
            "replaced; the photo is tried once more",
            f"{_BATCH}::test_a_worker_that_is_killed_is_replaced_and_its_photo_is_tried_once_more",
        ),
        (
            "compiled tables",
            "no half table; the next one clears up",
            "indexes/test_compiled.py::test_a_killed_build_leaves_no_half_folder_and_the_next_one_clears_up",
        ),
        (
            "a turn of a chat",
            "resumed where it stopped",
            f"{_CASES}/test_checkpoints.py::test_a_turn_that_was_killed_is_resumed_where_it_stopped",
        ),
    ),
    *_of(
        "a clock that jumps back",
        (
            "a case",
            "nothing lost; the chain of custody holds",
            "hostile/test_faults.py::test_a_clock_that_jumps_back_loses_no_case",
        ),
        (
            "retention",
            "nothing is deleted too early",
            "hostile/test_faults.py::test_a_clock_that_jumps_back_deletes_nothing",
        ),
    ),
    *_of(
        "two processes at once",
        ("one index", "the second is refused, in words", f"{_INDEX}/test_build.py::test_a_second_builder_is_kept_out"),
        (
            "readers of an index that grows",
            "never half an add",
            f"{_INDEX}/test_store.py::test_a_reader_never_meets_half_an_add",
        ),
        ("one case", "nothing lost", f"{_CASES}/test_processes.py::test_two_processes_on_one_case_lose_nothing"),
        (
            "one case, held for long",
            "the second is refused, in words",
            f"{_CASES}/test_processes.py::test_a_second_writer_is_refused_in_words_and_readers_are_not",
        ),
        ("one batch", "the second is refused, in words", f"{_BATCH}::test_two_batches_do_not_write_one_output"),
        (
            "one folder of explanations",
            "the second is refused, in words",
            f"{_TEACHER}::test_progress_is_told_and_the_folder_is_for_one_way_of_asking",
        ),
        (
            "compiled tables",
            "one builds, the other waits",
            "indexes/test_compiled.py::test_of_two_processes_one_builds_and_both_see_it_whole",
        ),
    ),
)
