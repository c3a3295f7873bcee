"""What every test shares: a cache of its own, the healthy bones, and the folder of reference data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from quick import SampledBone, sampled_bones

from spineviz import assembly, scene
from spineviz.anatomy.bone import LevelBone
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones as make_bones
from spineviz.terms import LOWER_LUMBAR_LEVELS, Level

if TYPE_CHECKING:
    from xdist.scheduler.loadscope import LoadScopeScheduling

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


TOGETHER = {
    **dict.fromkeys(("test_procedures", "test_resection", "test_ledger"), "both operations"),
    **dict.fromkeys(("test_foramen", "test_posture"), "the sampled column"),
}
"""Modules that share what takes long to build run one after the other in one process."""

FIRST = ("test_images", "test_procedures", "test_resection", "test_ledger", "test_nervous_system")
"""What takes longest begins first, so that no process ends long after the others."""

LAST = (
    *("test_contact", "test_library", "test_morphing", "test_operation", "test_penetration"),
    *("test_planes", "test_readme", "test_transforaminal"),
)
"""What looks at shipped scenes comes when they have been built for their pictures, and kept."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Give each process whole modules, and those together that share much."""
    from xdist.scheduler import LoadFileScheduling

    class Sharing(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = Path(super()._split_scope(nodeid)).stem
            return TOGETHER.get(module, module)

    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the modules by when they are to run; what is in no list keeps its place in between."""
    order = [*FIRST, "", *LAST]
    items.sort(key=lambda item: order.index(item.path.stem if item.path.stem in order else ""))


@pytest.fixture(scope="session", autouse=True)
def own_cache(pytestconfig: pytest.Config) -> Iterator[Path]:
    """A cache beside pytest's own, never the user's; what is built there lasts until the code changes."""
    cache = pytestconfig.cache
    assert cache is not None
    folder = cache.mkdir("spineviz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPINEVIZ_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real bones and facts; tests that need it are skipped without."""
    folder = os.environ.get("SPINEVIZ_SHARED")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set SPINEVIZ_SHARED to the folder of reference data to run this test")
    return Path(folder)


@pytest.fixture(scope="session")
def healthy() -> Anatomy:
    """The healthy anatomy of the measures."""
    return Anatomy()


@pytest.fixture(scope="session")
def bones(healthy: Anatomy) -> dict[Level, LevelBone]:
    """The healthy bones of the lower back at full resolution."""
    return make_bones(healthy, LOWER_LUMBAR_LEVELS)


@pytest.fixture(scope="session")
def column(healthy: Anatomy) -> dict[Level, LevelBone]:
    """All healthy bones, from the atlas to the coccyx, at full resolution."""
    return make_bones(healthy)


@pytest.fixture(scope="session")
def assembled(own_cache: Path) -> assembly.Assembly:
    """The shipped scene of a herniation with both approaches, whole; built in about a minute, then kept."""
    return assembly.assemble(scene.load("herniation_l4l5"))


@pytest.fixture(scope="session")
def sampled_column(healthy: Anatomy) -> dict[Level, SampledBone]:
    """All healthy bones, sampled every millimetre in their own frames, in neutral standing."""
    return sampled_bones(healthy)
