"""Pictures and the report of a comparison."""

import re
import stat

import matplotlib.pyplot as plt
import pytest

from tests import comparison_parts as parts
from webhooklab.charts import MAX_LINES
from webhooklab.charts.canvas import span
from webhooklab.compared import compare

HOSTILE = '<script>alert("x")</script>$\\frac{'


@pytest.fixture(autouse=True)
def _closed():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def comparison_of(entities, ids=str):
    pushed, pulled = [], []
    for number in range(entities):
        of = {"entity_id": ids(number)}
        pushed.append({"version": "1", "received_at": number + 1, "occurred_at": number, **of})
        pushed.append(
            {"version": "2", "received_at": number + 50, "occurred_at": number + 49, **of}
        )
        for version, polled, before in (("1", 5, None), ("3", 2_000, 40), ("4", 3_000, 2_900)):
            pulled.append({"version": version, "polled_at": number + polled, **of}
                          | {"not_seen_at": before and number + before})  # fmt: skip
    return compare(
        parts.events(*pushed),
        parts.snapshots(*pulled),
        polls=parts.polls({"requested_at": 1, "url": "https://api.example/?token=s3cret"}),
        listening=parts.listening(),
        now=parts.at(90_000),
    )


@pytest.mark.parametrize("entities", [1, 5, MAX_LINES + 1, 500])
def test_a_plot_for_few_and_for_many_entities(entities):
    axes = comparison_of(entities).plot()
    axes.figure.canvas.draw()
    labels = axes.get_legend_handles_labels()[1]
    if entities <= MAX_LINES:
        assert len(axes.get_yticks()) == entities
        assert {"pushed", "polled", "polled, webhook missed"} <= set(labels)
    else:
        names = {label.rpartition(" (")[0] for label in labels}
        assert {"pushed and polled", "overlooked by polls", "missed webhooks"} <= names


def test_marks_differ_without_colour():
    axes = comparison_of(3).plot()
    shapes = [repr(each.get_paths()[0].vertices.tolist()) for each in axes.collections[1:]]
    assert len(set(shapes)) == len(shapes) == 4


def test_latency_and_what_if_are_drawn():
    comparison = comparison_of(5)
    assert len(comparison.plot_latency().get_lines()) == 1  # polls: no times
    axes = comparison.what_if(every=[1, 60]).plot()
    assert axes.get_legend_handles_labels()[1] == ["late, p50", "late, p99"]
    axes.figure.canvas.draw()
    written = [each.get_text() for each in axes.yaxis.get_ticklabels(which="both")]
    assert len(written) > 1
    assert all(re.fullmatch(r"[\d,.]+", each) for each in written), written
    nothing = compare(parts.events(), parts.snapshots())
    assert nothing.plot_latency().texts[0].get_text() == "not measured"
    nothing.plot().figure.canvas.draw()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.25, "250 ms"), (0.5, "500 ms"), (2, "2 s"), (60, "1 min"), (5_400, "1.5 h"),
     (86_400, "1 d"), (-3, "-3 s")],
)  # fmt: skip
def test_a_duration_is_said_in_the_unit_that_reads_best(seconds, said):
    assert span(seconds) == said


def test_the_report_is_one_offline_file_without_secrets(tmp_path):
    path = comparison_of(3, lambda n: f"{HOSTILE}{n}").report(tmp_path / "report.html")
    page = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert "<script" not in page
    assert "s3cret" not in page
    assert "alert(" in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert page.count("data:image/png") == 3
    assert "never came" in page


def test_the_repr_escapes_what_comes_from_the_wire():
    shown = comparison_of(2, lambda n: f"{HOSTILE}{n}")._repr_html_()
    assert "<script" not in shown
