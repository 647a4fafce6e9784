"""Bad jobs and uploads, and bad requests to be done later or once."""

from tests.contract.bad import B64, GOOD, JPEG, MEGABYTE, Table, form, js, raw, with_headers

bad = Table()

JOBS, UPLOADS = "/v2/jobs", "/v2/uploads"
NO_JOB = "/v2/jobs/job_" + "0" * 32
NO_UPLOAD = "upl_" + "0" * 32


bad("job without a key", 401, "missing_api_key", js({}), path=JOBS, key=None)
bad("job with a wrong key", 403, "invalid_api_key", js([]), path=JOBS, key="wrong")
bad("upload without a key", 401, "missing_api_key", js({}), path=UPLOADS, key=None)
bad("list without a key", 401, "missing_api_key", {}, method="GET", path=JOBS, key=None)
bad("PUT of jobs", 405, "method_not_allowed", js({}), method="PUT", path=JOBS)
bad("POST of a job", 405, "method_not_allowed", js({}), path=NO_JOB)
bad("GET of uploads", 405, "method_not_allowed", {}, method="GET", path=UPLOADS)
bad("a route below jobs", 404, "not_found", {}, method="GET", path=f"{NO_JOB}/result")
for number, path in enumerate((NO_JOB, "/v2/jobs/x", "/v2/jobs/%00", "/v2/jobs/%2e%2e", "/v2/jobs/" + "j" * 5_000)):
    bad(f"look at no job {number}", 404, "not_found", {}, method="GET", path=path)
    bad(f"deletion of no job {number}", 404, "not_found", {}, method="DELETE", path=path)
bad("job as a form", 415, "unsupported_media_type", form({"format": "png"}), path=JOBS)
bad("job as a picture", 415, "unsupported_media_type", raw(JPEG, "image/jpeg"), path=JOBS)
bad("job as text", 415, "unsupported_media_type", raw(b"{}", "text/plain"), path=JOBS)
bad("job of half an object", 400, "invalid_request", raw(b'{"format":', "application/json"), path=JOBS)
bad("job of a list", 400, "invalid_request", js([{}]), path=JOBS)
bad("job of nested objects", 400, "invalid_request", raw(b'{"a":' * 100_000, "application/json"), path=JOBS)
bad("job with an unknown field", 400, "invalid_option", js({"filename": "a.jpg"}), path=JOBS)
bad("job with an image in it", 400, "invalid_option", js({"image": B64}), path=JOBS)
bad("job with a wrong format", 400, "invalid_option", js({"format": "heic"}), path=JOBS)
bad("job with half a mask", 400, "invalid_option", js({"mask": "half"}), path=JOBS)
bad("job of a wrong type", 400, "invalid_option", js({"content_type": "text/html"}), path=JOBS)
bad("job of a private address", 400, "image_url_fetch_failed", js({"image_url": "http://10.0.0.1/a"}), path=JOBS)
bad("job of a file", 400, "image_url_fetch_failed", js({"image_url": "file:///etc/passwd"}), path=JOBS)
bad("job that tells a private address", 400, "invalid_option", js({"webhook_url": "http://[::1]/"}), path=JOBS)
bad("job that tells the cloud", 400, "invalid_option", js({"webhook_url": "http://169.254.169.254/"}), path=JOBS)
bad("job that tells a decimal host", 400, "invalid_option", js({"webhook_url": "http://2130706433/"}), path=JOBS)
bad("job that tells nobody", 400, "invalid_option", js({"webhook_url": "nobody"}), path=JOBS)
bad("job that tells a megabyte", 400, "invalid_option", js({"webhook_url": "http://" + "h" * MEGABYTE}), path=JOBS)
WRONG_QUERIES = ["limit=0", "limit=101", "limit=-1", "limit=ten", "status=done", "cursor=x", "cursor=%00", "cursor=e30"]
for number, query in enumerate([*WRONG_QUERIES, "cursor=" + "A" * 2_000]):
    bad(f"list with wrong query {number}", 400, "invalid_option", {}, method="GET", path=f"{JOBS}?{query}")
bad("list with two limits", 400, "invalid_request", {}, method="GET", path=f"{JOBS}?limit=1&limit=2")
bad("upload with a name", 400, "invalid_option", js({"filename": "a.jpg"}), path=UPLOADS)
bad("upload of a wrong type", 400, "invalid_option", js({"content_type": "image/*"}), path=UPLOADS)
bad("upload of bytes", 415, "unsupported_media_type", raw(JPEG, "image/jpeg"), path=UPLOADS)
bad("an upload that is not there", 404, "not_found", js({"upload_id": NO_UPLOAD}))
bad("an upload that is not there, in a form", 404, "not_found", form({"upload_id": NO_UPLOAD}))
bad("an upload by a path", 400, "invalid_request", js({"upload_id": "../../uploads/acct_local"}))
bad("an upload by a megabyte", 400, "invalid_request", js({"upload_id": "u" * MEGABYTE}))
bad("an upload and a file", 400, "multiple_sources", form({"upload_id": NO_UPLOAD}, JPEG))
bad("an empty idempotency key", 400, "invalid_request", with_headers(GOOD, idempotency_key=""))
bad("a long idempotency key", 400, "invalid_request", with_headers(GOOD, idempotency_key="k" * 256))
bad("an idempotency key of words", 400, "invalid_request", with_headers(GOOD, idempotency_key="two words"))
bad("a job with an empty idempotency key", 400, "invalid_request", with_headers(js({}), idempotency_key=""), path=JOBS)
bad("a text, once", 400, "unsupported_image_format", with_headers(form(image=b"hello"), idempotency_key="bad-1"))
bad("a text, once more", 400, "unsupported_image_format", with_headers(form(image=b"hello"), idempotency_key="bad-1"))
bad("another text, once", 422, "idempotency_mismatch", with_headers(form(image=b"other"), idempotency_key="bad-1"))
bad("nothing, later", 400, "missing_image", with_headers(form(), prefer="respond-async"))
bad("no base64, later", 400, "invalid_base64", with_headers(js({"image": "!!!!"}), prefer="respond-async"))
bad(
    "a private address, later",
    400,
    "image_url_fetch_failed",
    with_headers(js({"image_url": "http://127.0.0.1/a"}), prefer="respond-async"),
)
bad("no upload, later", 404, "not_found", with_headers(js({"upload_id": NO_UPLOAD}), prefer="respond-async"))
