import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from jetbench.errors import RunError, StoreError
from jetbench.evaluation.plots import PALETTE, REJECTIONS, confusion_plot, finish, roc_line, roc_plot, save_png
from jetbench.seeds import numpy_rng
from jetbench.statistics.delong import auc


def line(name="simclr", separation=2.0, jets=1000):
    rng = numpy_rng("test-plots", name)
    labels = np.arange(jets) % 2
    scores = rng.normal(size=jets) + separation * labels
    return roc_line(name, labels, scores), auc(labels, scores)


def test_roc_has_the_same_axes_for_every_run_and_names_the_auc():
    good, area = line()
    poor, _ = line("scratch", 0.3)
    figure = roc_plot([good, poor])
    both, alone = figure.axes[0], roc_plot([poor]).axes[0]
    assert both.get_ylim() == alone.get_ylim() == REJECTIONS
    assert both.get_xlim() == alone.get_xlim() == (0, 1)
    assert both.get_yscale() == "log"
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[0].startswith(f"simclr   AUC {area:.4f}")
    assert names[-1] == "chance"


def test_roc_draws_the_curve_where_background_is_left():
    curve, _ = line()
    drawn = next(it for it in roc_plot([curve]).axes[0].lines if it.get_label().startswith("simclr"))
    shown = curve.background_efficiency > 0
    np.testing.assert_array_equal(drawn.get_xdata(), curve.signal_efficiency[shown])
    np.testing.assert_array_equal(drawn.get_ydata(), 1 / curve.background_efficiency[shown])
    assert to_hex(drawn.get_color()).upper() == PALETTE[0]


def test_a_perfect_score_can_be_drawn(tmp_path):
    save_png(roc_plot([roc_line("perfect", [0, 0, 1, 1], [0, 0, 1, 1])]), tmp_path / "roc.png")
    assert (tmp_path / "roc.png").stat().st_size > 1000


def test_curves_are_framed_as_the_field_does_and_differ_in_colour_and_line():
    """A closed frame, ticks inwards on all sides and minor ones on the linear axis; names of classes have none between them."""
    figure = roc_plot([line()[0], line("scratch", 0.3)[0], line("trees", 0.6)[0]])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert all(spine.get_visible() for spine in axes.spines.values())
    ticks = [axes.xaxis.get_major_ticks()[0], axes.yaxis.get_major_ticks()[0]]
    assert all(tick.tick2line.get_visible() and tick.get_tickdir() == "in" for tick in ticks)
    assert len(axes.get_xticks(minor=True)) > 5
    drawn = [it for it in axes.lines if it.get_label() != "chance"]
    assert len({it.get_color() for it in drawn}) == len({str(it._unscaled_dash_pattern) for it in drawn}) == 3
    assert figure.legends[0].get_window_extent().y1 < axes.get_window_extent().y0
    named, bars = Figure().add_subplot(), Figure().add_subplot()
    named.set_yticks([0, 1], ["qcd", "top"])
    bars.barh(["learning_rate", "passes"], [0.8, 0.2])
    for axes in (named, bars):
        finish(axes)
        assert len(axes.get_yticks(minor=True)) == 0


def test_confusion_shows_counts_and_row_percentages():
    axes = confusion_plot([[1269, 231], [0, 0]], ["QCD", "top"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["84.6 %", "1 269", "15.4 %", "231", "0.0 %", "0", "0.0 %", "0"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["QCD", "top"]


def test_pictures_are_byte_reproducible_and_leave_nothing_behind(tmp_path):
    for name in ("a.png", "b.png"):
        save_png(roc_plot([line()[0]], "top vs QCD"), tmp_path / name)
    first, second = (tmp_path / name for name in ("a.png", "b.png"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(b"\x89PNG")
    assert b"Software" not in first.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_what_cannot_be_drawn_or_written_is_named(tmp_path):
    with pytest.raises(RunError, match="11 curves"):
        roc_plot([line()[0]] * 11)
    with pytest.raises(RunError, match="confusion matrix of shape"):
        confusion_plot([[1, 2], [3, 4]], ["QCD"])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        save_png(confusion_plot([[1, 2], [3, 4]], ["QCD", "top"]), tmp_path / "file" / "x.png")
