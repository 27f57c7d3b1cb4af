#!/usr/bin/env bash
# Writes a CycloneDX list of the Python packages inside an image: sbom.sh IMAGE FILE. The image needs neither shell nor pip.
set -euo pipefail
image=$1 file=$2
work=$(mktemp -d)
container=$(docker create "$image")
trap 'docker rm --force "$container" > /dev/null; rm -rf "$work"' EXIT
docker cp "$container:/app/site" "$work/site"
python -m venv --without-pip "$work/venv"
realpath "$work/site" > "$(echo "$work"/venv/lib/python3.*/site-packages)/image.pth"
mkdir -p "$(dirname "$file")"
cyclonedx-py environment --spec-version 1.6 --output-reproducible --output-file "$file" "$work/venv/bin/python"
