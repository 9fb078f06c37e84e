"""A CSV export in a real spreadsheet program: no cell is a formula, and each says what was sent."""

import csv
import json

import pytest

from tests.inputs import ODD, files, formulas, naughty_strings, needs_corpora, send
from tests.spreadsheet_parts import needs_office, opened
from webhooklab import Lab, read

pytestmark = [needs_corpora, needs_office]

DANGEROUS = [
    *("=1+1", "+1+1", "-1+1", "@SUM(1,1)", "\t=1+1", "\n=1+1", "\r=1+1", "'=1+1", "''=1+1"),
    *(" =1+1", "\u00a0=1+1", '"=1+1', '",=1+1,"', '";=1+1;"', "x;=1+1;y", "x,=1+1,y"),
    *("x\t=1+1\ty", "x\n=1+1\ny", 'x"\n=1+1', '=HYPERLINK("http://198.51.100.1/","x")'),
    *('=WEBSERVICE("http://198.51.100.1/")', '=DDE("soffice","x","y")'),
]
LONGEST_CELL = 32_767
"""Characters; a sheet has no longer ones, and base64 is longer than what it is of."""


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    """Everything that is hostile, in each column that a sender fills; and a file of formulas."""
    folder = tmp_path_factory.mktemp("sheets")
    with Lab(folder / "captures.db") as lab:
        fill(lab)
        export = lab.export(folder / "captures.csv", secrets=True)
    control = folder / "control.csv"
    control.write_text('"plain"\n"=1+1"\n')
    return export, *opened(folder, export, control)


def fill(lab):
    lab.map(event_type="type", event_id="id", entity_type="kind", entity_id="id", version="v")
    texts = [*DANGEROUS, *formulas(), *naughty_strings()]
    named = (dict.fromkeys(("type", "id", "kind", "v"), text) for text in texts)
    send(lab.url, [("application/json", json.dumps(each).encode()) for each in named])
    bodies = [text.encode("utf-8", "surrogatepass") for text in texts]
    more = [*files("hostile/json").values(), *(body for _, body in ODD.values())]
    bodies += [body for body in more if len(body) < LONGEST_CELL / 2]
    send(lab.url, [("=1+1;x=+1", body) for body in bodies], "/;=1+1?;=1+1&=2", X_Evil="=1+1;=1+1")


def test_no_cell_is_a_formula(sheets):
    _, sheet, control = sheets
    assert control.formulas == ["1+1"], "this program does evaluate formulas"
    assert sheet.formulas == []


def test_each_cell_has_the_text_of_the_file(sheets):
    """But for line ends, which a cell has only one of, and for what reads as a number."""
    export, sheet, _ = sheets
    with export.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    written = {
        (row, column): text.replace("\r\n", "\n").replace("\r", "\n")
        for row, cells in enumerate(rows)
        for column, text in enumerate(cells)
        if text
    }
    as_numbers = {place: written.pop(place) for place in sheet.numbers}
    assert sheet.texts == written
    assert len(written) > 15_000
    assert not [text for text in as_numbers.values() if text[0] in "=+-@'"]


def test_what_was_opened_is_read_back_as_it_was(sheets):
    texts = [*DANGEROUS, *formulas(), *naughty_strings()]
    assert read(sheets[0])["entity_id"].tolist()[: len(texts)] == texts
