"""What every test shares: a cache of its own, and the folder of reference data where there is one."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real bones and facts; tests that need it are skipped without."""
    folder = os.environ.get("SPINEVIZ_SHARED")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set SPINEVIZ_SHARED to the folder of reference data to run this test")
    return Path(folder)
