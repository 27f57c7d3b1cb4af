#!/usr/bin/env bash
# Builds the service of $PROJECT, pushes it to $REGISTRY/$REPOSITORY, and writes the name and the digest to $GITHUB_OUTPUT.
# BASE and DOCKERFILE replace the base image and the Dockerfile; BUILD_OPTIONS adds arguments, such as --secret for a private index.
set -euo pipefail
: "${PROJECT:?}" "${REGISTRY:?}" "${REPOSITORY:?}" "${GITHUB_OUTPUT:?}"
export DOCKER_BUILDKIT=1
name=$(tr '[:upper:]' '[:lower:]' <<< "$REGISTRY/$REPOSITORY/$PROJECT")
commit=$(git rev-parse HEAD)
base=${BASE:-python:3.11-slim}
read -ra options <<< "${BUILD_OPTIONS:-}"

docker image inspect "$base" > /dev/null 2>&1 || docker pull --quiet "$base"
pinned=$(docker image inspect --format '{{if .RepoDigests}}{{index .RepoDigests 0}}{{else}}{{index .RepoTags 0}}{{end}}' "$base")
evidence=none
if [[ -f projects/$PROJECT/reports/evidence.json ]]; then evidence=$(sha256sum "projects/$PROJECT/reports/evidence.json" | cut -d ' ' -f 1); fi

docker build --file "${DOCKERFILE:-docker/Dockerfile}" --build-arg BASE="$pinned" --build-arg PROJECT="$PROJECT" --build-arg COMMIT="$commit" \
  --build-arg EVIDENCE="$evidence" --tag "$name:$commit" "${options[@]}" .
docker push --quiet "$name:$commit"
digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$name:$commit" | sed -n "s|^$name@||p" | head -n 1)
[[ $digest == sha256:* ]] || { echo "::error::the registry gave no digest for $name:$commit" >&2; exit 1; }
printf 'name=%s\ndigest=%s\n' "$name" "$digest" >> "$GITHUB_OUTPUT"
# shellcheck disable=SC2016
printf '`%s@%s` from `%s`, commit %s, evidence %s\n' "$name" "$digest" "$pinned" "$commit" "$evidence" >> "${GITHUB_STEP_SUMMARY:-/dev/stdout}"
