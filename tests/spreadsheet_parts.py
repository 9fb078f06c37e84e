"""LibreOffice, opening files as a double-click would, and what then stands in the cells."""

import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

SEPARATORS = "44/59/9"
"""Comma, semicolon and tab: what LibreOffice takes for ends of cells unless told otherwise."""
_UTF8 = "76"
_OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
_NAMES = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}

needs_office = pytest.mark.skipif(
    _OFFICE is None,
    reason="no LibreOffice: `apt install --no-install-recommends libreoffice-calc-nogui`",
)


@dataclass(frozen=True)
class Sheet:
    """What is in a sheet's cells: `texts` and `numbers` by (row, column) from 0; `formulas`."""

    texts: dict[tuple[int, int], str]
    numbers: set[tuple[int, int]]
    formulas: list[str]


def opened(folder: Path, *files: Path) -> list[Sheet]:
    """CSV files, opened by LibreOffice with its defaults; it evaluates what is a formula."""
    command = [
        *(_OFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"),
        *(f"--infilter=CSV:{SEPARATORS},34,{_UTF8},1", "--convert-to", "xlsx"),
        *("--outdir", folder / "sheets", *files),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return [_sheet(folder / "sheets" / f"{file.stem}.xlsx") for file in files]


def _sheet(path: Path) -> Sheet:
    with zipfile.ZipFile(path) as parts:
        sheet = ET.fromstring(parts.read("xl/worksheets/sheet1.xml"))
        shared = ET.fromstring(parts.read("xl/sharedStrings.xml"))
    strings = [_text(each) for each in shared.findall("x:si", _NAMES)]
    texts, numbers, formulas = {}, set(), []
    for cell in sheet.iterfind(".//x:c", _NAMES):
        formula, value = cell.find("x:f", _NAMES), cell.find("x:v", _NAMES)
        if formula is not None:
            formulas.append(formula.text)
        elif value is not None and cell.get("t") == "s":
            texts[_place(cell.get("r"))] = strings[int(value.text)]
        elif value is not None:
            numbers.add(_place(cell.get("r")))
    return Sheet(texts, numbers, formulas)


def _text(item: ET.Element) -> str:
    """A text as it was: ECMA-376 writes `_x0000_` for what XML has no character for."""
    text = "".join(each.text or "" for each in item.iterfind(".//x:t", _NAMES))
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def _place(reference: str) -> tuple[int, int]:
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(reference[len(letters) :]) - 1, column - 1
