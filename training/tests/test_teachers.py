"""Masks of teachers: fused by agreement, kept out where they are scored, made by graphs as onnxruntime does."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import found, fusion


def square(left: int, side: int = 40) -> np.ndarray:
    mask = np.zeros((96, 96), np.float32)
    mask[20 : 20 + side, left : left + side] = 1
    return mask


def test_teachers_that_agree_are_believed_and_those_that_do_not_are_left_out():
    agreed = fusion.fuse({"isnet": square(20), "u2netp": square(20)})
    apart = fusion.fuse({"isnet": square(10), "u2netp": square(52)})
    assert (agreed.trust, apart.trust) == (1, 0)
    assert agreed.fine
    assert np.array_equal(agreed.alpha, square(20))


def test_one_mask_alone_and_empty_masks_teach_nothing():
    nothing = np.zeros((96, 96), np.float32)
    assert fusion.fuse({"isnet": square(20)}).trust == 0
    assert fusion.fuse({"isnet": nothing, "u2netp": nothing, "ours": nothing}).trust == 0


def test_of_three_masks_two_outvote_the_third():
    fused = fusion.fuse({"ours": square(20), "u2netp": square(21), "isnet": square(50)})
    assert fused.trust > 0.7
    assert fusion.soft_iou(fused.alpha, square(20)) > 0.9


def test_pixels_in_dispute_weigh_less():
    fused = fusion.fuse({"isnet": square(20), "u2netp": square(22)})
    disputed = square(20) != square(22)
    assert fused.weight[disputed].max() == pytest.approx(fusion.DISPUTED)
    assert fused.weight[~disputed].min() == 1


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """All shards of the second part, each with two photos of a source to learn from and two of a held-out one."""
    photo, mask = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (96, 96), "teal").save(photo, "WEBP")
    Image.fromarray((square(20) * 255).astype(np.uint8)).resize((48, 48)).save(mask, "PNG")
    for name in (*found.SHARDS, found.EMPTY_SHARD):
        with tarfile.open(tmp_path / f"{name}.tar", "w") as tar:
            for source in (f"{name}-source", found.HELD_OUT[0]):
                for number in (1, 2):
                    for suffix, content in (("webp", photo.getvalue()), ("u2netp.png", mask.getvalue())):
                        entry = tarfile.TarInfo(f"{source}/{number:04d}.{suffix}")
                        entry.size = len(content)
                        tar.addfile(entry, io.BytesIO(content))
    return tmp_path


def test_a_mask_in_the_folder_joins_those_of_the_shard(shard: Path, tmp_path: Path):
    masks = tmp_path / "masks"
    photo = next(found.read(shard, "more-things"))
    (masks / photo.source).mkdir(parents=True)
    Image.fromarray((square(20) * 255).astype(np.uint8)).save(masks / f"{photo.name}.isnet.png")
    planes = photo.planes(masks)
    assert set(planes) == {"u2netp", "isnet"}
    assert {plane.shape for plane in planes.values()} == {(96, 96)}
    assert fusion.soft_iou(planes["u2netp"], planes["isnet"]) > 0.9


def test_sources_that_are_held_out_are_never_drawn(shard: Path, tmp_path: Path):
    masks = tmp_path / "masks"
    for photo in (p for name in found.SHARDS for p in found.read(shard, name)):
        (masks / photo.source).mkdir(parents=True, exist_ok=True)
        Image.fromarray((square(20) * 255).astype(np.uint8)).save(masks / f"{photo.name}.ours.png")
    photos = fusion.Found.load(shard, masks)
    assert set(photos.photos) == {f"{name}-source" for name in found.SHARDS}
    picture, fused = photos.pick(np.random.default_rng(0))
    assert picture.size == (96, 96)
    assert fused.trust > 0.5


def test_a_fine_photo_is_one_that_isnet_has_labelled(shard: Path, tmp_path: Path):
    masks = tmp_path / "masks"
    every = [p for name in found.SHARDS for p in found.read(shard, name) if p.source not in found.HELD_OUT]
    for photo, teachers in ((every[0], ("ours", "isnet")), (every[-1], ("ours", "u2netp"))):
        (masks / photo.source).mkdir(parents=True)
        for teacher in teachers:
            Image.fromarray((square(20) * 255).astype(np.uint8)).save(masks / f"{photo.name}.{teacher}.png")
    photos, rng = fusion.Found.load(shard, masks), np.random.default_rng(0)
    assert all(photos.pick(rng, fine=True)[1].fine for _ in range(10))
    assert {photos.pick(rng)[1].fine for _ in range(40)} == {True, False}


def test_photos_about_which_no_two_teachers_agree_are_an_error_not_a_loop(shard: Path):
    with pytest.raises(ValueError, match="agree"):
        fusion.Found.load(shard, None).pick(np.random.default_rng(0))


def test_a_third_teacher_begins_with_photos_about_which_two_disagree():
    pytest.importorskip("torch")
    from training.teachers import urgency  # noqa: PLC0415  (needs torch)

    def png(mask: np.ndarray) -> bytes:
        stream = io.BytesIO()
        Image.fromarray((mask * 255).astype(np.uint8)).save(stream, "PNG")
        return stream.getvalue()

    picture = io.BytesIO()
    Image.new("RGB", (96, 96), "teal").save(picture, "WEBP")
    left, right = png(square(10)), png(square(52))
    masks: list[dict[str, bytes]] = [
        {},
        {"ours": left, "u2netp": left},
        {"ours": left},
        {"ours": left, "u2netp": right},
    ]
    photos = [found.Photo("source", i, picture.getvalue(), given) for i, given in enumerate(masks)]
    assert [photo.number for photo in sorted(photos, key=urgency)] == [3, 1, 2, 0]


def test_our_own_net_labels_at_the_size_that_it_takes(tmp_path: Path):
    pytest.importorskip("torch")
    from training.teachers import Ours  # noqa: PLC0415  (needs torch)

    assert Ours(tmp_path).alpha(Image.new("RGB", (96, 64), "teal")).shape == (64, 96)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the tracing exporter
def test_a_graph_in_torch_answers_as_onnxruntime_does(tmp_path: Path):
    torch = pytest.importorskip("torch")
    onnxruntime = pytest.importorskip("onnxruntime")
    from training.graphs import Graph  # noqa: PLC0415  (needs torch)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Conv2d(3, 8, 3, padding=2, dilation=2), torch.nn.Conv2d(16, 1, 1)

        def forward(self, x):
            whole = torch.relu(self.first(x))
            half = torch.nn.functional.max_pool2d(whole, 2, ceil_mode=True)
            again = torch.nn.functional.interpolate(half, whole.shape[2:], mode="bilinear", align_corners=False)
            return torch.sigmoid(self.second(torch.cat([whole + again, again], 1)))

    torch.manual_seed(0)
    path, image = tmp_path / "net.onnx", torch.rand(1, 3, 33, 33)
    axes = {"image": {2: "height", 3: "width"}}
    torch.onnx.export(
        Net().eval(), (image,), str(path), input_names=["image"], dynamic_axes=axes, opset_version=12, dynamo=False
    )
    (wanted,) = onnxruntime.InferenceSession(str(path)).run(None, {"image": image.numpy()})
    assert np.abs(Graph(path, torch.float32)(image).numpy() - wanted).max() < 1e-5
    assert np.abs(Graph(path)(image).numpy() - wanted).max() < 0.02


def test_the_published_file_is_read_back_as_the_nets_that_it_came_from(tmp_path: Path):
    torch = pytest.importorskip("torch")
    from training import export, published  # noqa: PLC0415  (need torch)
    from training.model import CutoutNet  # noqa: PLC0415
    from training.refiner import FULL, Refiner, TwoStageNet  # noqa: PLC0415

    torch.manual_seed(0)
    coarse, refiner = CutoutNet(), Refiner()
    torch.nn.init.normal_(refiner.residual.weight)
    for norm in (part for net in (coarse, refiner) for part in net.modules() if isinstance(part, torch.nn.BatchNorm2d)):
        norm.running_var.uniform_(0.5, 2)
        norm.bias.data.normal_()
    net = TwoStageNet(coarse, refiner, (48, 64)).eval()
    export.write(net, FULL, tmp_path / "net.onnx")
    again = TwoStageNet(*published.read_published(tmp_path / "net.onnx"), (48, 64)).eval()
    picture = torch.rand(1, 3, FULL, FULL) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(again.alpha(picture), net.alpha(picture), atol=1e-4)
