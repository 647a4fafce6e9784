"""Rare but real files: deep, separated, planar and large TIFFs, camera RAW, and colour keys of 16 bits."""

import struct
import zlib
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cutout.errors import ResolutionTooHighError, UnsupportedImageFormatError
from cutout.imaging.codecs.decode import decode
from cutout.imaging.spec import Limits
from tests.unit.imaging.pictures import chunk, photo, png16, saved, tiff_of, to_bytes

LIMITS = Limits()
PHOTO = to_bytes(photo("astronaut.png", 61, 45))
GRAY = np.asarray(Image.fromarray(PHOTO).convert("L"))
DISC = np.asarray((np.hypot(*np.mgrid[-22:23, -30:31]) < 20) * 255, np.uint8)


class Tiff:
    """A writer of TIFF and BigTIFF, for kinds that Pillow does not write: any samples, tiles, planes, directories."""

    def __init__(self, order: str = "<", *, big: bool = False) -> None:
        self.order, self.big, self.body = order, big, b""
        self.start = 16 if big else 8
        self.offsets: list[int] = []

    def data(self, content: bytes) -> int:
        """Put bytes into the file, and return where."""
        self.body += content + b"\0" * (len(content) % 2)
        return self.start + len(self.body) - len(content) - len(content) % 2

    def directory(self, tags: dict[int, tuple[int, ...]], *, linked: bool = True) -> int:
        """Write a directory; ``linked`` ones are pages."""
        word, size = ("Q", 8) if self.big else ("I", 4)
        entries = b""
        for tag, numbers in sorted(tags.items()):
            content = struct.pack(f"{self.order}{len(numbers)}I", *numbers)
            place = (
                content.ljust(size, b"\0")
                if len(content) <= size
                else struct.pack(self.order + word, self.data(content))
            )
            entries += struct.pack(f"{self.order}HH{word}", tag, 4, len(numbers)) + place
        head = struct.pack(self.order + ("Q" if self.big else "H"), len(tags))
        offset = self.data(head + entries + b"\0" * size)
        if linked:
            self.offsets.append(offset)
        return offset

    def image(
        self, values: NDArray[Any], photometric: int, extra: tuple[int, ...] = (), **tags: tuple[int, ...]
    ) -> None:
        """Write a page of chunky samples."""
        pixels = np.ascontiguousarray(values, values.dtype.newbyteorder(self.order)).tobytes()
        self.directory(self.tags(values, photometric, extra, **tags) | {273: (self.data(pixels),), 279: (len(pixels),)})

    def tags(
        self, values: NDArray[Any], photometric: int, extra: tuple[int, ...], **tags: tuple[int, ...]
    ) -> dict[int, Any]:
        channels = values.shape[2] if values.ndim == 3 else 1
        result = {
            256: (values.shape[1],),
            257: (values.shape[0],),
            258: (values.dtype.itemsize * 8,) * channels,
            259: (1,),
            262: (photometric,),
            277: (channels,),
            278: (values.shape[0],),
            339: ({"f": 3, "i": 2}.get(values.dtype.kind, 1),) * channels,
        }
        return result | ({338: extra} if extra else {}) | {int(tag[1:]): numbers for tag, numbers in tags.items()}

    def file(self) -> bytes:
        word = "Q" if self.big else "I"
        body = bytearray(self.body)
        for offset, following in zip(self.offsets, self.offsets[1:], strict=False):
            count_size, entry = (8, 20) if self.big else (2, 12)
            at = offset - self.start
            count = struct.unpack_from(self.order + ("Q" if self.big else "H"), body, at)[0]
            struct.pack_into(self.order + word, body, at + count_size + count * entry, following)
        mark = b"II" if self.order == "<" else b"MM"
        head = struct.pack(self.order + "H", 43 if self.big else 42)
        head += (
            struct.pack(self.order + "HHQ", 8, 0, self.offsets[0])
            if self.big
            else struct.pack(self.order + "I", self.offsets[0])
        )
        return mark + head + bytes(body)


def one_page(values: NDArray[Any], photometric: int, extra: tuple[int, ...] = (), **options: Any) -> bytes:
    tags = {name: numbers for name, numbers in options.items() if name.startswith("t")}
    tiff = Tiff(options.get("order", "<"), big=options.get("big", False))
    tiff.image(values, photometric, extra, **tags)
    return tiff.file()


def cmyk(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(rgb).convert("CMYK"))


@pytest.mark.parametrize(("order", "big"), [("<", False), ("<", True), (">", False), (">", True)])
def test_cmyk_with_alpha_uses_the_alpha(order: str, big: bool) -> None:  # noqa: FBT001
    decoded = decode(one_page(np.dstack([cmyk(PHOTO), DISC]), 5, (2,), order=order, big=big), LIMITS)
    assert decoded.alpha is not None
    assert np.array_equal(decoded.alpha, DISC)
    assert np.abs(decoded.image.astype(int) - PHOTO).max() <= 1


@pytest.mark.parametrize("spots", [1, 2, 4])
@pytest.mark.parametrize("base", ["RGB", "CMYK", "gray"])
def test_spot_channels_are_left_out(base: str, spots: int) -> None:
    colours, photometric = {"RGB": (PHOTO, 2), "CMYK": (cmyk(PHOTO), 5), "gray": (GRAY, 1)}[base]
    samples = np.dstack([colours, *[DISC] * spots])
    decoded = decode(one_page(samples, photometric, (0,) * spots), LIMITS)
    assert decoded.alpha is None
    expected = PHOTO if base != "gray" else GRAY[..., None]
    assert np.abs(decoded.image.astype(int) - expected).max() <= 1


def test_the_alpha_among_spot_channels_is_found() -> None:
    decoded = decode(one_page(np.dstack([PHOTO, GRAY, DISC]), 2, (0, 2)), LIMITS)
    assert decoded.alpha is not None
    assert np.array_equal(decoded.alpha, DISC)


def test_premultiplied_colours_are_divided_by_their_alpha() -> None:
    alpha = np.full_like(GRAY, 100)
    premultiplied = (PHOTO.astype(np.uint16) * 100 // 255).astype(np.uint8)
    for values in (premultiplied, (premultiplied.astype(np.uint16) * 257)):
        samples = np.dstack([values, alpha.astype(values.dtype) * (257 if values.dtype == np.uint16 else 1)])
        decoded = decode(one_page(samples, 2, (1,)), LIMITS)
        assert np.abs(decoded.image.astype(int) - PHOTO).max() <= 4


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_colour_in_floats_is_read_in_the_range_it_uses(dtype: type, order: str) -> None:
    for top in (1.0, 255.0):
        decoded = decode(one_page((PHOTO / 255 * top).astype(dtype), 2, order=order), LIMITS)
        assert np.abs(decoded.image.astype(int) - PHOTO).max() <= 1


@pytest.mark.parametrize("bits", [2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("channels", [1, 3])
def test_packed_samples_are_scaled_by_their_true_depth(bits: int, channels: int) -> None:
    values = (PHOTO if channels == 3 else GRAY[..., None]).astype(np.uint32) * (2**bits - 1) // 255
    flags = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    packed = np.packbits(flags.reshape(len(values), -1).astype(np.uint8), axis=1)
    tiff = Tiff()
    tags = tiff.tags(values.astype(np.uint16), 2 if channels == 3 else 1, ())
    place = tiff.data(packed.tobytes())
    tiff.directory(tags | {258: (bits,) * channels, 273: (place,), 279: (packed.size,)})
    assert np.abs(decode(tiff.file(), LIMITS).image - values * 255 / (2**bits - 1)).max() <= 1


def test_twelve_bits_in_words_are_scaled_by_the_largest_value_that_the_file_states() -> None:
    values = (GRAY.astype(np.uint32) * 4095 // 255).astype(np.uint16)
    stated = decode(one_page(values, 1, t281=(4095,)), LIMITS)
    assert np.abs(stated.image[..., 0].astype(int) - GRAY).max() <= 1
    wrong = decode(one_page(GRAY.astype(np.uint16) * 257, 1, t281=(4095,)), LIMITS)
    assert np.abs(wrong.image[..., 0].astype(int) - GRAY).max() <= 1


def test_white_is_zero_is_inverted_at_every_depth() -> None:
    for values in (GRAY, GRAY.astype(np.uint16) * 257, GRAY.astype(np.float32) / 255):
        decoded = decode(one_page(values, 0), LIMITS)
        assert np.abs(255 - decoded.image[..., 0].astype(int) - GRAY).max() <= 1


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_planes_and_tiles_are_put_together(compression: int, predictor: int, dtype: type) -> None:
    values = PHOTO.astype(dtype) * (257 if dtype is np.uint16 else 1)
    tiff = Tiff()
    height, width = 48, 64
    padded = np.zeros((height, width, 3), dtype)
    padded[:45, :61] = values
    places, sizes = [], []
    for channel, y, x in product(range(3), range(0, 48, 16), range(0, 64, 32)):
        tile = padded[y : y + 16, x : x + 32, channel].astype(np.dtype(dtype).newbyteorder("<"))
        if predictor == 2:
            tile = np.diff(tile, axis=1, prepend=np.zeros((16, 1), dtype)).astype(tile.dtype)
        content = zlib.compress(tile.tobytes()) if compression == 8 else tile.tobytes()
        places.append(tiff.data(content))
        sizes.append(len(content))
    tags = tiff.tags(values, 2, (), t284=(2,), t317=(predictor,), t259=(compression,))
    del tags[278]
    tiff.directory(tags | {322: (32,), 323: (16,), 324: tuple(places), 325: tuple(sizes)})
    assert np.abs(decode(tiff.file(), LIMITS).image.astype(int) - PHOTO).max() <= 1


def test_the_predictor_of_floats_is_undone() -> None:
    values = (PHOTO / 255).astype(np.float32)
    rows = []
    for row in values:
        planes = row.astype(">f4").view(np.uint8).reshape(61, 3, 4).transpose(2, 0, 1).reshape(-1, 3)
        rows.append(np.diff(planes, axis=0, prepend=np.zeros((1, 3), np.uint8)).astype(np.uint8).tobytes())
    content = zlib.compress(b"".join(rows))
    tiff = Tiff()
    tags = tiff.tags(values, 2, (), t317=(3,), t259=(8,))
    tiff.directory(tags | {273: (tiff.data(content),), 279: (len(content),)})
    assert np.abs(decode(tiff.file(), LIMITS).image.astype(int) - PHOTO).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_big_tiffs_decode(order: str) -> None:
    for values, photometric in ((PHOTO, 2), (GRAY, 1), (PHOTO.astype(np.uint16) * 257, 2), (cmyk(PHOTO), 5)):
        decoded = decode(one_page(values, photometric, order=order, big=True), LIMITS)
        assert np.abs(decoded.image.astype(int) - (GRAY[..., None] if photometric == 1 else PHOTO)).max() <= 1


def test_deep_files_are_turned_upright_too() -> None:
    decoded = decode(one_page(PHOTO.astype(np.uint16) * 257, 2, t274=(6,)), LIMITS)
    assert np.abs(decoded.image.astype(int) - np.rot90(PHOTO, -1)).max() <= 1
    assert (decoded.source_width, decoded.source_height) == (45, 61)


def test_the_limit_of_pixels_counts_pixels_and_not_samples() -> None:
    data = one_page(np.dstack([PHOTO] * 3).astype(np.uint16), 2, (0,) * 6)
    assert decode(data, Limits(max_pixels=61 * 45)).source_width == 61
    with pytest.raises(ResolutionTooHighError):
        decode(data, Limits(max_pixels=61 * 45 - 1))


def test_the_picture_is_the_whole_one_and_not_the_first() -> None:
    small = PHOTO[::4, ::4].copy()
    flagged, unflagged, pages = Tiff(), Tiff(), Tiff()
    flagged.image(small, 2, t254=(1,))
    flagged.image(PHOTO, 2)
    unflagged.image(np.asarray(Image.fromarray(PHOTO).resize((15, 11))), 2)
    unflagged.image(PHOTO, 2)
    pages.image(PHOTO, 2)
    pages.image(np.zeros((80, 80, 3), np.uint8), 2)
    mask = Tiff()
    mask.image(DISC, 1, t254=(4,))
    mask.image(PHOTO, 2)
    for tiff in (flagged, unflagged, pages, mask):
        assert np.array_equal(decode(tiff.file(), LIMITS).image, PHOTO)
    below = Tiff()
    place = below.data(PHOTO.tobytes())
    whole = below.directory(below.tags(PHOTO, 2, ()) | {273: (place,), 279: (PHOTO.size,)}, linked=False)
    below.image(small, 2, t254=(1,), t330=(whole,))
    assert np.array_equal(decode(below.file(), LIMITS).image, PHOTO)


def raw_file(preview: bytes = b"", turn: int = 1, *, make: bytes = b"", dng: bool = False) -> bytes:
    """A camera's file: a thumbnail, sensor data below it, and maybe a JPEG preview."""
    tiff = Tiff()
    sensor = np.zeros((90, 122), np.uint16)
    place = tiff.data(sensor.tobytes())
    below = [tiff.directory(tiff.tags(sensor, 32803, ()) | {273: (place,), 279: (sensor.nbytes,)}, linked=False)]
    if preview:
        below.append(tiff.directory({513: (tiff.data(preview),), 514: (len(preview),), 259: (6,)}, linked=False))
    extra: dict[str, tuple[int, ...]] = {"t50706": (0x00000401,)} if dng else {}
    tiff.image(PHOTO[::4, ::4].copy(), 2, t254=(1,), t274=(turn,), t330=tuple(below), **extra)
    data = bytearray(tiff.file())
    if make:  # the first entry of the only page, whose number of the kind of thumbnail becomes the maker's text
        entry = struct.unpack_from("<I", data, 4)[0] + 2
        struct.pack_into("<HHII", data, entry, 271, 2, len(make), len(data))
        data += make
    return bytes(data)


@pytest.mark.parametrize("dng", [True, False])
def test_camera_raw_is_refused_by_name_and_never_answered_by_its_thumbnail(dng: bool) -> None:  # noqa: FBT001
    small = saved(PHOTO, "JPEG")
    for data in (raw_file(dng=dng), raw_file(small, dng=dng)):
        with pytest.raises(UnsupportedImageFormatError, match=r"camera RAW file \((DNG|RAW)\)"):
            decode(data, LIMITS)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (b"NIKON CORPORATION\0", "NEF"),
        (b"SONY\0", "ARW"),
        (b"PENTAX\0", "PEF"),
        (b"SAMSUNG\0", "SRW"),
        (b"EASTMAN KODAK COMPANY\0", "DCR"),
        (b"Hasselblad\0\0", "3FR"),
        (b"Phase One A/S\0", "IIQ"),
        (b"Unheard of\0", "RAW"),
    ],
)
def test_camera_raw_is_named_by_its_maker(make: bytes, name: str) -> None:
    with pytest.raises(UnsupportedImageFormatError, match=rf"RAW file \({name}\)"):
        decode(raw_file(make=make), LIMITS)


def test_pixels_that_look_like_canon_s_mark_are_pixels() -> None:
    looks_alike = PHOTO.copy()
    looks_alike[0, 0] = (67, 82, 9)  # the letters CR
    assert np.array_equal(decode(one_page(looks_alike, 2), LIMITS).image, looks_alike)


def test_the_embedded_preview_of_full_size_is_used_and_turned() -> None:
    large = to_bytes(photo("astronaut.png", 120, 88))
    preview = saved(large, "JPEG", quality=95)
    assert np.abs(decode(raw_file(preview), LIMITS).image.astype(int) - large).mean() < 5
    turned = decode(raw_file(preview, 8), LIMITS)
    assert (turned.source_width, turned.source_height) == (88, 120)


def test_canon_files_are_known_by_their_mark() -> None:
    data = bytearray(one_page(PHOTO, 2))
    data[8:8] = b"CR\2\0\0\0\0\0"
    with pytest.raises(UnsupportedImageFormatError, match=r"RAW file \(CR2\)"):
        decode(bytes(data), LIMITS)


def with_key(data: bytes, *key: int) -> bytes:
    """A PNG with a transparent colour."""
    return data[:33] + chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)) + data[33:]


def test_a_transparent_gray_of_16_bits_is_transparent_and_its_neighbours_are_not() -> None:
    values = np.array([[1000, 1001, 999, 1000, 65535, 0]], np.uint16)
    decoded = decode(with_key(png16(values), 1000), LIMITS)
    assert decoded.alpha is not None
    assert decoded.alpha[0].tolist() == [0, 255, 255, 0, 255, 255]
    assert decoded.image[0, 4].tolist() == [255, 255, 255]


def test_a_transparent_colour_of_16_bits_is_compared_with_all_its_bits() -> None:
    values = np.array([[[1000, 2000, 3000], [1000, 2001, 3000], [1001, 2000, 3000], [1000, 2000, 3000]]], np.uint16)
    decoded = decode(with_key(png16(values), 1000, 2000, 3000), LIMITS)
    assert decoded.alpha is not None
    assert decoded.alpha[0].tolist() == [0, 255, 255, 0]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_gray_of_few_bits_is_transparent(bits: int) -> None:
    levels = 2**bits
    values = np.arange(8) % levels
    flags = (values[:, None] >> np.arange(bits - 1, -1, -1)) & 1
    row = b"\0" + np.packbits(flags.reshape(-1).astype(np.uint8)).tobytes()
    header = struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    decoded = decode(with_key(data, 1), LIMITS)
    assert decoded.alpha is not None
    assert decoded.alpha[0].tolist() == [0 if value == 1 else 255 for value in values]


def test_lab_becomes_rgb() -> None:
    lab = np.zeros((4, 4, 3), np.uint8)
    lab[..., 0] = 128
    decoded = decode(tiff_of(lab, {262: (8,)}), LIMITS)
    assert np.abs(decoded.image.astype(int) - 119).max() <= 3


@pytest.mark.parametrize(
    ("compression", "name"),
    [(33003, "JPEG 2000"), (34887, "LERC"), (50001, "WebP"), (34933, "PNG"), (22610, "JPEG XR"), (52546, "JPEG XL")],
)
def test_a_compression_that_is_not_read_is_named(compression: int, name: str) -> None:
    with pytest.raises(UnsupportedImageFormatError, match=f"compressed by {name}, which is not supported"):
        decode(one_page(PHOTO, 2, t259=(compression,)), LIMITS)
