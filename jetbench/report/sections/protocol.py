"""How the comparison is made: what varies, what is held equal, what a verdict rests on."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.rows import baseline_text
from jetbench.report.words import LEVEL_TEXT, capital, count, joined
from jetbench.suites.weighting import weighting_lines

__all__ = ["render"]

BODY = """
<ul>
<li>Arms may differ in: {{ settings.varies | join(", ") }}. All else is held equal: {{ equal }}.</li>
<li>With the seed vary: the label subset, its part for training and validation, initialisation and batch order. The
{{ settings.test_jets | count }} test jets are frozen. A budget of B labels includes its validation labels.</li>
<li>{{ settings.seeds }} seeds per cell; {{ encoders }} pretrained {{ "encoder" if encoders == 1 else "encoders" }} per kind of
pretraining, shared across arms and budgets. {% if drawn %}Those of {{ drawn }} see a part of the unlabelled jets, which each seed
draws anew; of one seed a smaller part lies within a larger. All others{% else %}All{% endif %} are trained on the same unlabelled
jets: a verdict is one for this pool, whose own chance is in no interval.</li>
<li>A verdict rests on two errors: between seeds, and from the test sample (paired, of the mean difference over seeds); their
squares add up. The labels come from a finite pool: what seeds hide since they share labels is added to the error between them,
as a bound. Better or worse: the {{ level }} test of the difference, paired over seeds.
Equivalent: two one-sided tests place the difference within {{ margin }}.
Undecided: neither, or fewer than five seeds.</li>
{% if primaries | length == 1 %}
<li>One comparison is primary, {{ primaries[0] }}; Holm's correction guards the tests of arms against
floors among themselves, and the others among themselves.</li>
{% else %}
<li>Primary are {{ primaries | join("; ") }}. Holm's correction guards them among themselves, the differences between their gains
among themselves, the tests of arms against floors among themselves, and all others among themselves.
An arm is compared with the baseline that has its encoder, or else its model;
a model that no baseline has, with the first.</li>
{% endif %}
{% for line in weighting %}
<li>{{ line }}.</li>
{% endfor %}
{% if pool %}
<li>The unlabelled pool is composed of {{ pool }}.</li>
{% endif %}
</ul>
"""


def render(results: Results) -> SectionContent:
    settings = results.plan.instance.settings
    body = fragment(
        BODY,
        settings=settings,
        weighting=[capital(line) for line in weighting_lines(settings)],
        equal=_equal(results),
        encoders=settings.pretraining_seeds or settings.seeds,
        level=LEVEL_TEXT,
        margin=results.task.margin_text(baseline_text(results)),
        pool=", ".join(f"{100 * share:g} % {name}" for name, share in (settings.pool or {}).items()),
        drawn=joined([arm for arm in results.plan.arms if settings.arms[arm].pool_jets or settings.pool_jets]),
        primaries=[f"{arm} against {results.baselines[arm]} at {count(n)} labels" for arm, n in results.primaries],
    )
    return SectionContent("protocol", "How the comparison is made", body)


def _equal(results: Results) -> str:
    """What all arms share, as far as the suite does not declare that it varies."""
    varied = {word.removeprefix("recipe.") for word in results.plan.instance.settings.varies if word.split(".")[0] == "recipe"}
    parts = ["jets", "splits", "label subset and batch order of a seed"]
    if "recipe" not in varied:
        parts.append(_recipe(varied))
        parts += [] if "passes" in varied else ["the cap on labelled passes"]
    if not results.plan.studies:
        return f"{', '.join(parts)}; no arm is tuned"
    return ", ".join([*parts, _search(results, bool(varied & {"recipe", "learning_rate"}))])


def _recipe(varied: set[str]) -> str:
    but = sorted(name.replace("_", " ") for name in varied)
    if but:
        return f"the supervised recipe but for its {joined(but)}"
    return "the supervised recipe and its augmentation"


SEARCHES = {
    "tpe": "TPE",
    "gp": "Gaussian-process",
    "cma-es": "CMA-ES",
    "random": "random",
    "qmc": "quasi-random",
    "nsga2": "NSGA-II",
}


def _search(results: Results, own_rates: bool) -> str:
    """How arms are tuned. Factors multiply an arm's own learning rate: they are the same rates only where that is."""
    studies = list(results.plan.studies.values())
    names = list(dict.fromkeys(one.name for study in studies for one in study.searched))
    if studies[0].sampler == "grid" and names == ["learning rate"]:
        return "the factors of the grid around each arm's own learning rate" if own_rates else "the grid of learning rates"
    if studies[0].sampler == "grid":
        return f"the grid of {joined(names)}, as far as an arm has them"
    own = ", that of the learning rate around each arm's own" if own_rates and "learning rate" in names else ""
    search = SEARCHES[studies[0].sampler]
    return f"the ranges of a {search} search for {joined(names)}{own}, and its {count(studies[0].trials, 'trial')}"
