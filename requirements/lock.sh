#!/usr/bin/env bash
# Writes the pinned, hashed requirement files from the .in files. `requirements/lock.sh --check` fails on drift.
# test.txt is solved first and bounds the others, so that every environment runs the same versions.
set -euo pipefail
cd "$(dirname "$0")"
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT

place() { if [ "$1" = layer ]; then echo ../layers/cutout/requirements.txt; else echo "$1.txt"; fi; }

compile() {
  local name=$1; shift
  [ -f "$(place "$name")" ] && cp "$(place "$name")" "$target/$name.txt" # keep what is pinned while it fits
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
    --no-emit-find-links --no-annotate "$@" --output-file "$target/$name.txt" "$name.in"
}

compile test
for name in layer image local; do compile "$name" --constraint "$target/test.txt"; done
compile sam
compile audit
compile docs
compile bench
for name in test layer image local sam audit docs bench; do
  if [ "${1:-}" = --check ]; then
    cmp --silent "$target/$name.txt" "$(place "$name")" || { echo "$(place "$name") is stale: run requirements/lock.sh"; exit 1; }
  else
    cp "$target/$name.txt" "$(place "$name")"
  fi
done
