#!/usr/bin/env bash
# Makes a stand-in for the two base images of the Dockerfile, for machines that cannot reach their registries: AWS's
# Lambda base image of Python 3.13, and python:3.13-slim.
#
# A small Debian (trixie has Python 3.13) with the same doors: /lambda-entrypoint.sh, /var/runtime/bootstrap,
# /var/lang/bin, /var/task, the runtime interface client (awslambdaric) and the runtime emulator that aws-sam-cli ships.
# It also carries the wheels of requirements/image.txt and local.txt, so that `docker build` needs no network at all.
# Tagged as the Dockerfile and `sam local invoke` expect it; use both with --skip-pull-image.
#
# Usage: tests/sam/base_image.sh      as root, with debootstrap, docker, .venv-sam and a python3.13; some two minutes
set -euo pipefail
cd "$(dirname "$0")/../.."
image=public.ecr.aws/lambda/python
python=3.13
suite=trixie
arch=$(uname -m)
emulator=$(echo .venv-sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-"$arch")
"python$python" -c "" || { echo "a python$python that runs is wanted on the PATH" >&2; exit 1; }
[ -x "$emulator" ] || { echo "no runtime emulator in .venv-sam: run \`make .venv-sam/sam.stamp\`" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
"python$python" -m venv "$work/venv" # wheels are chosen by the Python that fetches them
pip() { "$work/venv/bin/python" -m pip --quiet --disable-pip-version-check "$@" --only-binary=:all:; }

debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip "$suite" "$root" > "$work/debootstrap.log" ||
  { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/* "$root"/dev/*
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED # Lambda's Python is its own master too

install -D -m 755 "$emulator" "$root/usr/local/bin/aws-lambda-rie"
mkdir -p "$root"/var/lang/bin "$root"/var/runtime "$root"/var/task "$root"/opt
for name in python python3 "python$python"; do ln -s /usr/bin/python3 "$root/var/lang/bin/$name"; done
ln -s /usr/bin/pip3 "$root/var/lang/bin/pip"
sed -n 's/^\([^ ;#]*==[^ ;]*\).*/\1/p' requirements/test.txt > "$work/versions.txt"
pip install --target "$root/var/runtime" --constraint "$work/versions.txt" awslambdaric boto3
cat > "$root/var/runtime/bootstrap" <<'BOOTSTRAP'
#!/bin/sh
# Layers come before the runtime's own packages, as on Lambda.
export PYTHONPATH="/var/task:/opt/python:/var/runtime${PYTHONPATH:+:$PYTHONPATH}"
exec /var/lang/bin/python3 -m awslambdaric "$_HANDLER"
BOOTSTRAP
cat > "$root/lambda-entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
# The handler is the command. Inside Lambda its runtime API is there; elsewhere the emulator plays it.
[ $# -eq 1 ] || { echo "the command must be one handler" >&2; exit 142; }
export _HANDLER="$1"
[ -n "${AWS_LAMBDA_RUNTIME_API:-}" ] && exec /var/runtime/bootstrap
exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
ENTRYPOINT
chmod 755 "$root/var/runtime/bootstrap" "$root/lambda-entrypoint.sh"

wheels=/usr/local/share/wheels
for list in image local; do
  pip download --require-hashes --dest "$root$wheels" --requirement "requirements/$list.txt"
done
chmod -R a+rX "$root$wheels"
printf '[global]\nno-index = true\nfind-links = %s\n' "$wheels" > "$root/etc/pip.conf"

tar --directory "$root" --create . | docker import \
  --change 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 TZ=:UTC' \
  --change 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
  --change 'WORKDIR /var/task' \
  --change 'ENTRYPOINT ["/lambda-entrypoint.sh"]' \
  - "$image:$python" > "$work/id"
docker tag "$image:$python" "$image:$python-$arch" # what `sam local invoke` builds on for zips
docker tag "$image:$python" "python:$python-slim" # what the target `server` builds on
echo "$image:$python is $(cat "$work/id")"
