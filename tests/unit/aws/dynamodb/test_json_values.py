import json
from dataclasses import dataclass, field
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.aws.dynamodb.job_items import from_json, to_json
from cutout.imaging.spec import Channels, CutoutSpec, ImageFormat, SizeName
from cutout.jobs.parts import JobError, JobOptions, JobResult, JobSource, SourceKind


class Unit(StrEnum):
    PX = "px"


@dataclass(frozen=True, slots=True)
class Length:
    value: float
    unit: Unit = Unit.PX


@dataclass(frozen=True, slots=True)
class Box:
    left: Length
    right: Length | None = None
    colour: tuple[int, int, int] | None = None
    names: dict[str, float] = field(default_factory=dict)


@pytest.mark.parametrize(
    "value",
    [
        Box(Length(1.5)),
        Box(Length(1), Length(2), (1, 2, 3), {"ü": 0.25}),
        JobOptions(),
        JobSource(SourceKind.OBJECT, "b", "uploads/ü/😀", "v", "e", "s", "https://x"),
        JobResult("image/png", 1, 2, 3, 4, "m", {"decode": 1.25}, key="k", bytes=5, mask_key="mask"),
        JobError("code", "Message.", {"list": [1, "two", None]}),
    ],
    ids=repr,
)
def test_what_was_written_is_read_as_it_was(value):
    assert from_json(type(value), to_json(value)) == value


@given(
    st.builds(
        CutoutSpec,
        format=st.sampled_from(ImageFormat),
        channels=st.sampled_from(Channels),
        size=st.sampled_from(SizeName),
        crop=st.booleans(),
        bg_color=st.none() | st.tuples(*[st.integers(0, 255)] * 4),
    )
)
def test_every_spec_survives(spec: CutoutSpec) -> None:
    assert from_json(JobOptions, to_json(JobOptions(spec))) == JobOptions(spec)


def test_fields_of_another_deployment_do_no_harm():
    document = json.loads(to_json(JobOptions(mask=True)))
    document["spec"]["from_the_future"] = {"a": 1}
    del document["spec"]["despill"]

    assert from_json(JobOptions, json.dumps(document)) == JobOptions(mask=True)
