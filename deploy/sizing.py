"""Memory, timeouts and routes that fit a model, from its row of ``models/manifest.toml``."""

from dataclasses import dataclass
from math import ceil

from cutout.imaging.models.manifest import Model

MB_PER_VCPU = 1769
"""Memory that buys one vCPU (Lambda developer guide, "Configure Lambda function memory")."""
LARGEST_MB = 10_240
"""Most memory of a function (Lambda quotas)."""
DEFAULT_MB = 3_008
"""Memory of the default model's function, and the most that a new AWS account may use."""
PICTURE_MB = 1_200
"""What 50 megapixels need beside the model."""
AIM_S = 5.0
"""Seconds of inference that memory is bought for, as far as Lambda sells it."""
BESIDE_S = 19.0
"""What may come to an inference: fetching (10 s), and a cold start with the picture (9 s)."""
REMOVE_TIMEOUTS_S = (29, 60, 120, 300)
"""Timeouts of the removal function to choose from, the default first; the template gives the gateway the same."""
UPLOAD_TIMEOUTS_S = (30, 60, 120, 300, 900)
"""Timeouts for which the template knows how long the queue hides a message."""
MAX_FRAMES = 100
"""Most frames of an animation: those of a quick model must fit memory, too."""
FRAME_S = 0.1
"""What one frame takes beside its inference."""
FRAMES_SHARE = 0.7
"""Of an upload's time, so much is for frames."""
MARGIN = 2.5
"""An upload may take this many times what is expected: a noisy neighbour must not end it."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a stack needs to run a model.

    Attributes:
        memory_mb: Memory of the two functions that carry the model.
        inference_s: Expected seconds of one inference at that memory.
        remove_timeout_s: Timeout of the function that answers with images.
        upload_timeout_s: Timeout of the function behind the jobs' queue.
        synchronous: Whether ``POST /v2`` can answer with the image; if not, only jobs can.
        max_frames: Frames of an animation that a job can cut out within its timeout.
    """

    memory_mb: int
    inference_s: float
    remove_timeout_s: int
    upload_timeout_s: int
    synchronous: bool
    max_frames: int

    def parameters(self) -> dict[str, str]:
        """Return the template's parameters of these names."""
        return {
            "RemoveMemory": str(self.memory_mb),
            "RemoveTimeout": str(self.remove_timeout_s),
            "UploadTimeout": str(self.upload_timeout_s),
            "Synchronous": str(self.synchronous).lower(),
            "MaxFrames": str(self.max_frames),
        }


def size_for(model: Model) -> Sizing:
    """Choose memory and timeouts for a model.

    A vCPU is one of the two threads of a core, so cores count half. Memory is enough for the model and the largest
    picture, and for ``AIM_S`` of inference where that can be bought; it costs the same, since the time shrinks with it.

    Args:
        model: Row of the manifest.

    Returns:
        The smallest setting that fits.

    Raises:
        ValueError: The model needs more memory than a function can have.
    """
    needed_mb = model.peak_mb + PICTURE_MB
    if needed_mb > LARGEST_MB:
        raise ValueError(f"{model.name} needs {needed_mb} MB, and a Lambda function has at most {LARGEST_MB} MB")
    wanted_mb = ceil(2 * model.cpu_s / AIM_S * MB_PER_VCPU)
    memory_mb = max(DEFAULT_MB, needed_mb, min(wanted_mb, LARGEST_MB))
    inference_s = 2 * model.cpu_s / (memory_mb / MB_PER_VCPU)
    expected_s = MARGIN * (inference_s + BESIDE_S)
    upload_s = next((timeout for timeout in UPLOAD_TIMEOUTS_S if timeout >= expected_s), UPLOAD_TIMEOUTS_S[-1])
    answered_s = inference_s + BESIDE_S
    remove_s = next((timeout for timeout in REMOVE_TIMEOUTS_S if timeout >= answered_s), REMOVE_TIMEOUTS_S[-1])
    frames = max(1, min(MAX_FRAMES, int(FRAMES_SHARE * upload_s / (inference_s + FRAME_S))))
    return Sizing(memory_mb, inference_s, remove_s, upload_s, synchronous=answered_s <= remove_s, max_frames=frames)
