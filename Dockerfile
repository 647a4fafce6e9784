# The inference image. Lambda runs it as it is; other functions that need the model use it with another command.
#   docker build -t cutout .                                with the default model
#   docker build -t cutout --build-arg MODEL=u2netp .       with another row of models/manifest.toml (tools/fetch_model.py)
# BASE_IMAGE may be any image with Python 3.13, /lambda-entrypoint.sh and awslambdaric (tests/sam/base_image.sh).
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY requirements/image.txt ./
RUN python3 -m pip install --quiet --no-cache-dir --no-compile --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary=:all: --target task --requirement image.txt
COPY layers/cutout/cutout task/cutout
COPY functions task/functions
COPY models models
COPY tools/assemble_image.py ./
ARG MODEL=cutout-s
RUN python3 assemble_image.py --task task --models models --model "${MODEL}"

FROM ${BASE_IMAGE} AS lambda
ARG MODEL=cutout-s
COPY --from=build /build/task/ /var/task/
# onnxruntime (from 1.29) reports its use to its maker unless told not to.
ENV CUTOUT_MODEL=${MODEL} CUTOUT_MODELS_DIR=/var/task/models ORT_DISABLE_TELEMETRY=1
# Our own entry in place of the base's: it can answer in pieces (cutout/aws/runtime.py).
RUN printf '%s\n' '#!/bin/sh' 'export PYTHONPATH="/var/task:/opt/python:/var/runtime"' \
    'exec /var/lang/bin/python3 -m cutout.aws.runtime "$_HANDLER"' > /var/runtime/bootstrap
# A build that cannot import its entry or its handler or run its model fails here, not at the first request.
RUN cd /var/task && AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 PYTHONDONTWRITEBYTECODE=1 \
    python3 -c "import cutout.aws.runtime; from functions.process_upload import app as _; from functions.remove_background import app; \
    app.self_test(app.container().segmenter)"
CMD ["functions.remove_background.app.handler"]

# Lambda chooses an unprivileged user by itself and needs no USER; `sam local invoke` must be root to add its emulator.
# So SAM builds the stage above, and everybody else gets this one, which runs as nobody.
FROM lambda
USER 65534:65534
