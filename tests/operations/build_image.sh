#!/usr/bin/env bash
# Builds the image on a minimal Debian, without a network in the build: build_image.sh FOLDER
# Needs root, buildah and mmdebstrap. The image is runai-access:test in the storage of buildah in FOLDER.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1
buildah=(buildah --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs)

mmdebstrap --quiet --mode=root --variant=minbase --include=python3,python3-venv \
    bookworm "$folder/base.tar"
container=$("${buildah[@]}" from scratch)
"${buildah[@]}" add --quiet "$container" "$folder/base.tar" / >/dev/null
"${buildah[@]}" commit --quiet "$container" localhost/base >/dev/null

mkdir -p "$folder/context/deploy"
cd "$root"
.venv/bin/uv build --quiet --wheel --no-build-isolation --out-dir "$folder/context/dist"
.venv/bin/uv export --quiet --frozen --no-emit-project --output-file "$folder/context/dist/requirements.txt"
.venv/bin/pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
    --only-binary :all: --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
    --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 --platform any \
    --dest "$folder/context/dist/wheels" -r "$folder/context/dist/requirements.txt"
"${buildah[@]}" build --quiet --isolation chroot --build-arg BASE=localhost/base \
    --build-arg PIP_OPTIONS="--no-index --find-links=/dist/wheels" \
    --file deploy/container/Dockerfile --tag runai-access:test "$folder/context"
