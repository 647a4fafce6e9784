from cutout.api.request import Headers, Request


def test_header_names_compare_without_case_and_repeated_fields_are_joined():
    headers = Headers([("Accept", "image/png"), ("ACCEPT", "image/webp"), ("X-A", "1")])
    assert headers["accept"] == "image/png, image/webp"
    assert "x-a" in headers
    assert headers.get("missing", "") == ""
    assert len(headers) == 2


def test_the_media_type_is_lower_case_and_without_parameters():
    request = Request("POST", "/v2", "/v2", Headers([("Content-Type", "Application/JSON; charset=utf-8")]))
    assert request.media_type == "application/json"
    assert Request("GET", "/", "/").media_type == ""
