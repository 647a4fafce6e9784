# The inference image. Lambda runs it as it is; other functions that need the model use it with another command.
#   docker build -t cutout .                                with the default model
#   docker build -t cutout --build-arg MODEL=u2netp .       with another row of models/manifest.toml (tools/fetch_model.py)
# BASE_IMAGE may be any image with Python 3.13, /lambda-entrypoint.sh and awslambdaric (tests/sam/base_image.sh).
# The target `server` is the whole product on one machine (docs/container.md); SERVER_IMAGE needs Python 3.13 alone.
#   docker build --target server -t cutout .
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13
ARG SERVER_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY requirements/image.txt ./
RUN python3 -m pip install --quiet --no-cache-dir --no-compile --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary=:all: --target task --requirement image.txt
COPY layers/cutout/cutout task/cutout
COPY functions/process_upload task/functions/process_upload
COPY functions/remove_background task/functions/remove_background
COPY models models
COPY tools/assemble_image.py layers/cutout/slim.py ./
ARG MODEL=cutout-s
RUN python3 assemble_image.py --task task --models models --model "${MODEL}"

FROM ${BASE_IMAGE} AS lambda
ARG MODEL=cutout-s
COPY --from=build /build/task/ /var/task/
# onnxruntime (from 1.29) reports its use to its maker unless told not to.
# numpy's threads (OpenBLAS) wait busily, from its import on.
ENV CUTOUT_MODEL=${MODEL} CUTOUT_MODELS_DIR=/var/task/models OPENBLAS_NUM_THREADS=1 ORT_DISABLE_TELEMETRY=1
# Our own entry in place of the base's: it can answer in pieces (cutout/aws/runtime.py).
RUN printf '%s\n' '#!/bin/sh' 'export PYTHONPATH="/var/task:/opt/python:/var/runtime"' \
    'exec /var/lang/bin/python3 -m cutout.aws.runtime "$_HANDLER"' > /var/runtime/bootstrap
# A build that cannot import its entry or its handler or run its model fails here, not at the first request.
RUN cd /var/task && AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 PYTHONDONTWRITEBYTECODE=1 \
    python3 -c "import cutout.aws.runtime; from functions.process_upload import app as _; from functions.remove_background import app; \
    app.self_test(app.container().segmenter)"
CMD ["functions.remove_background.app.handler"]

FROM ${SERVER_IMAGE} AS server-build
WORKDIR /srv/cutout
COPY requirements/local.txt /tmp/
RUN python3 -m venv --without-pip /srv/venv && python3 -m pip --python /srv/venv/bin/python install --quiet --no-compile \
    --no-cache-dir --disable-pip-version-check --require-hashes --only-binary=:all: --requirement /tmp/local.txt
COPY template.yaml ./
COPY docs/openapi.yaml docs/
COPY docs/openapi docs/openapi
COPY docs/images/astronaut.jpg docs/images/chelsea.jpg docs/images/coffee.jpg docs/images/
COPY web web
COPY functions functions
COPY layers/cutout/cutout layers/cutout/cutout
COPY local local
COPY server server
COPY models /tmp/models
COPY tools/assemble_image.py layers/cutout/slim.py /tmp/
ARG MODEL=cutout-s
# A build that cannot import its handler or run its model fails here, as above.
RUN PYTHONPATH=/tmp:layers/cutout /srv/venv/bin/python -c "from pathlib import Path; import assemble_image, slim; \
    assemble_image.place_model(Path('.'), Path('/tmp/models'), '${MODEL}'); slim.compile_all(Path('.')); \
    slim.compile_all(Path('/srv/venv/lib'))" && AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 \
    ORT_DISABLE_TELEMETRY=1 CUTOUT_MODEL=${MODEL} PYTHONPATH=layers/cutout /srv/venv/bin/python \
    -c "from functions.remove_background import app; app.self_test(app.container().segmenter)"

FROM ${SERVER_IMAGE} AS server
ARG MODEL=cutout-s
COPY --from=server-build /srv /srv
RUN mkdir --mode 700 /data && chown 65534:65534 /data
WORKDIR /srv/cutout
# TMPDIR lies on the volume, so that the root file system may be read-only.
ENV CUTOUT_MODEL=${MODEL} ORT_DISABLE_TELEMETRY=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/data TMPDIR=/data/tmp
USER 65534:65534
VOLUME /data
EXPOSE 8585
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s CMD ["/srv/venv/bin/python", "-m", "server.health"]
ENTRYPOINT ["/srv/venv/bin/python", "-m", "server"]

# Lambda chooses an unprivileged user by itself and needs no USER; `sam local invoke` must be root to add its emulator.
# So SAM builds the stage above, and everybody else gets this one, which runs as nobody.
FROM lambda
USER 65534:65534
