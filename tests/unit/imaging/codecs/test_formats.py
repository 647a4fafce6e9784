import pytest

from cutout.errors import UnsupportedImageFormatError
from cutout.imaging.codecs.formats import require_format

PNG, GIF = b"\x89PNG\r\n\x1a\n...", b"GIF89a..."


def test_a_kind_that_is_taken_passes():
    require_format(PNG, {"png", "jpeg"}, "PNG or JPEG")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (GIF, "GIF images are not supported; send PNG or JPEG."),
        (b"%PDF-1.7", "This is a PDF document; send a page of it as an image."),
        (b"", "The image is empty."),
    ],
)
def test_another_kind_is_refused_in_words_that_help(data, message):
    with pytest.raises(UnsupportedImageFormatError) as caught:
        require_format(data, {"png", "jpeg"}, "PNG or JPEG")
    assert caught.value.message == message
