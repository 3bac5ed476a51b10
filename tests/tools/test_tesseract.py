from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from geosleuth.tools import tesseract

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
HEADER = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"


@pytest.fixture(autouse=True)
def fresh_list():
    tesseract.installed_languages.cache_clear()
    yield
    tesseract.installed_languages.cache_clear()


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a small program named tesseract first and alone on PATH."""
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def languages(*names: str) -> str:
    return "echo 'List of available languages:'\n" + "\n".join(f"echo {name}" for name in names)


def line_of(text: str, *, dark: bool = False) -> np.ndarray:
    image = Image.new("RGB", (460, 60), "white")
    ImageDraw.Draw(image).text((14, 8), text, "black", ImageFont.truetype(str(FONT), 36))
    pixels = np.asarray(image, np.uint8)
    return 255 - pixels if dark else pixels


def test_without_the_program_every_script_is_missing_and_its_package_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    missing = tesseract.missing_scripts()
    assert len(missing) == len(tesseract.MODELS) == 21
    assert missing["Cyrl"] == "tesseract-ocr-script-cyrl"
    assert tesseract.model_for("Cyrl") is None
    assert tesseract.read_scripts({"Cyrl": [np.zeros((30, 90, 3), np.uint8)]}) == {"Cyrl": [None]}


def test_script_models_are_found_flat_and_in_their_folder_before_language_models(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, languages("script/Cyrillic", "rus", "Greek", "ukr", "kor"))
    assert tesseract.model_for("Cyrl") == "script/Cyrillic"
    assert tesseract.model_for("Grek") == "Greek"
    assert tesseract.model_for("Hang") == "kor"
    assert tesseract.model_for("Latn") is None


def test_language_models_together_stand_in_for_the_script_model(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, languages("ukr", "rus", "eng"))
    assert tesseract.model_for("Cyrl") == "rus+ukr"
    assert set(tesseract.missing_scripts()) == set(tesseract.MODELS) - {"Cyrl"}


def test_table_gives_text_and_confidence_weighted_by_length():
    start = "1\t1\t1\t1\t0\t0\t9\t9"
    rows = [f"4\t1\t{start}\t-1\t", f"5\t1\t{start}\t90.0\tАБВ", f"5\t1\t{start}\t50.0\tГ", f'5\t3\t{start}\t80.0\t"Д']
    first, second, third = tesseract._parse("\n".join([HEADER, *rows]), 3, "Cyrillic")
    assert first is not None
    assert third is not None
    assert first.text == "АБВ Г"
    assert first.confidence == pytest.approx((3 * 0.9 + 0.5) / 4)
    assert second is None
    assert third.text == '"Д'


def test_program_that_hangs_or_fails_reads_nothing(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tesseract, "_TIMEOUT_S", 0.3)
    install(tmp_path, monkeypatch, f'case "$*" in *list-langs*) {languages("Greek")} ;; *) exec sleep 5 ;; esac')
    line = [np.full((30, 90, 3), 200, np.uint8)]
    assert tesseract.read_scripts({"Grek": line}) == {"Grek": [None]}
    assert "could not read 1 lines of Grek: TimeoutExpired" in caplog.text
    assert str(tmp_path) not in caplog.text
    install(tmp_path, monkeypatch, f'case "$*" in *list-langs*) {languages("Greek")} ;; *) exit 1 ;; esac')
    assert tesseract.read_scripts({"Grek": line}) == {"Grek": [None]}


def test_a_program_that_does_not_list_its_languages_is_told_with_what_to_run(tmp_path, monkeypatch, caplog):
    install(tmp_path, monkeypatch, "exit 3")
    assert tesseract.installed_languages() == frozenset()
    said = "tesseract does not list its languages (CalledProcessError): `tesseract --list-langs` says why"
    assert caplog.messages == [said]


def test_bright_letters_are_made_dark():
    pixels = np.full((40, 120, 3), 20, np.uint8)
    pixels[10:30, 30:40] = 230
    clean = tesseract.clean_line(pixels)
    assert clean.shape == (48 + 24, 144 + 24)
    assert clean[36, 12 + 42] < 40  # the stroke, at 35 * 1.2 px
    assert clean[2, 2] > 215  # the margin has the ground's tone


def test_every_package_exists_in_debian_by_its_name():
    assert tesseract.DEBIAN_PACKAGES[:2] == ("tesseract-ocr", "tesseract-ocr-script-arab")
    assert len(set(tesseract.DEBIAN_PACKAGES)) == 22


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
@pytest.mark.skipif(not FONT.is_file(), reason="fonts-dejavu-core is not installed")
def test_lines_of_two_scripts_are_read_in_order():
    if tesseract.model_for("Cyrl") is None or tesseract.model_for("Grek") is None:
        pytest.skip("no Cyrillic or Greek model")
    answers = tesseract.read_scripts(
        {"Cyrl": [line_of("НОТАРИУС"), line_of("Центр города", dark=True)], "Grek": [line_of("ΦΑΡΜΑΚΕΙΟ")]}
    )
    assert [reading.text for reading in answers["Cyrl"] if reading] == ["НОТАРИУС", "Центр города"]
    assert [reading.text for reading in answers["Grek"] if reading] == ["ΦΑΡΜΑΚΕΙΟ"]
    assert all(reading and reading.confidence > 0.7 for reading in answers["Cyrl"])


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_list_of_models_is_the_programs_own():
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout
    assert tesseract.installed_languages() == frozenset(listed.split("\n")[1:]) - {""}
