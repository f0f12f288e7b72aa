"""What jetbench's metadata ask for is compared with what is there."""

from __future__ import annotations

import pytest

from jetbench.doctor import packages
from jetbench.doctor.packages import look_at_packages

ASKED = [
    "numpy>=1",
    "torch>=99",
    "no-such-package>=1",
    'no-such-server>=2; extra == "serving"',
    'no-such-linter; extra == "test"',
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requirements of a package with two extras, which a test may change."""
    found = list(ASKED)
    monkeypatch.setattr(packages, "requires", lambda name: found)
    monkeypatch.setattr(packages, "metadata", lambda name: type("Told", (), {"get_all": lambda self, key: ["serving", "test"]})())
    return found


def test_what_is_missing_or_too_old_is_to_be_mended_and_extras_are_noted(asked: list[str]) -> None:
    versions, *found = look_at_packages()
    assert versions.state == "ok"
    assert "numpy" in versions.told
    assert [(one.state, one.what) for one in found] == [("mend", "packages"), ("mend", "packages"), ("note", "extras")]
    assert found[0].told.startswith("torch>=99 is needed, and 2.")
    assert found[1].told == "no-such-package>=1 is needed, and none is installed"
    assert (found[2].told, found[2].remedy) == (
        "jetbench[serving] is not installed: no-such-server",
        "pip install 'jetbench[serving]' where it is wanted",
    )


def test_a_whole_installation_has_nothing_to_say(asked: list[str]) -> None:
    asked[:] = ["numpy>=1", 'h5py; extra == "serving"']
    assert [one.state for one in look_at_packages()] == ["ok"]
