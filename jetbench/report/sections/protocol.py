"""How the comparison is made: what varies, what is held equal, what a verdict rests on."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.rows import level

__all__ = ["render"]

BODY = """
<ul>
<li>Arms may differ in: {{ settings.varies | join(", ") }}. All else is held equal: jets, splits, label subset and batch order of
a seed, the supervised recipe and its augmentation, the cap on labelled passes
{{- ", the grid of learning rates" if settings.tuning else "; no arm is tuned" }}.</li>
<li>With the seed vary: the label subset, its part for training and validation, initialisation and batch order. The
{{ settings.test_jets | count }} test jets are frozen. A budget of B labels includes its validation labels.</li>
<li>{{ settings.seeds }} seeds per cell; {{ encoders }} pretrained {{ "encoder" if encoders == 1 else "encoders" }} per kind of
pretraining, shared across arms and budgets.</li>
<li>A verdict rests on two errors: between seeds, and from the test sample (paired, of the mean difference over seeds); their
squares add up. Better or worse: the {{ level }} test of the difference, paired over seeds.
Equivalent: two one-sided tests place the difference within {{ margin }}.
Undecided: neither, or fewer than five seeds.</li>
<li>One comparison is primary, {{ primary[0] }} against {{ baseline }} at {{ primary[1] | count }} labels; Holm's correction
guards the others.</li>
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
        encoders=settings.pretraining_seeds or settings.seeds,
        level=level(results),
        margin=results.task.margin_text(results.baseline),
        pool=", ".join(f"{100 * share:g} % {name}" for name, share in (settings.pool or {}).items()),
        primary=results.primary,
        baseline=results.baseline,
    )
    return SectionContent("protocol", "How the comparison is made", body)
