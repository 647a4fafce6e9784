"""A stack's name that would break its buckets is refused before anything is built."""

import re

import pytest

from deploy import DeployError
from deploy.names import check_stack_name, longest_stack_name

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-1", "us-gov-west-1"])
def test_the_longest_name_makes_the_longest_bucket_name(region):
    name = "c" * longest_stack_name(region)
    check_stack_name(name, region)
    assert len(f"{name}-uploads-123456789012-{region}") == 63
    with pytest.raises(DeployError, match=f"at most {len(name)} characters"):
        check_stack_name(name + "c", region)


@pytest.mark.parametrize(
    "name", ["Cutout", "cut_out", "1cutout", "cutout-", "CutoutForTheMarketingDepartmentOfAcme", "X"]
)
def test_a_name_that_is_refused_comes_with_one_that_would_do(name):
    with pytest.raises(DeployError) as caught:
        check_stack_name(name, "eu-central-1")
    better = re.search(r"STACK=(\S+) would do", str(caught.value))
    assert better is not None
    check_stack_name(better[1], "eu-central-1")
    assert BUCKET.fullmatch(f"{better[1]}-results-123456789012-eu-central-1")
