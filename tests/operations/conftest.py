"""The functions of operations/, imported as Lambda imports them: from their own folder."""

import sys

import pytest

from local import ROOT

sys.path.append(str(ROOT / "operations"))


@pytest.fixture
def buckets(cloud):
    """The template's buckets in moto, by the variables that the sweeper reads."""
    return {
        "UPLOADS_BUCKET": cloud.buckets["UploadsBucket"].name,
        "RESULTS_BUCKET": cloud.buckets["ResultsBucket"].name,
    }
