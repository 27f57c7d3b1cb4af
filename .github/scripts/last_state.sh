#!/usr/bin/env bash
# Unpacks the newest artifact NAME that this repository's own main branch has left: last_state.sh NAME FOLDER. Artifacts of forks and of
# other branches are passed over: whoever may open a pull request may also upload an artifact.
set -euo pipefail
name=$1 folder=$2 artifacts="repos/${GITHUB_REPOSITORY:?}/actions/artifacts"
mkdir -p "$folder"
id=$(gh api "$artifacts?name=$name&per_page=100" --jq 'first(.artifacts[] | select((.expired | not)
  and .workflow_run.head_branch == "main" and .workflow_run.head_repository_id == .workflow_run.repository_id)).id')
if [[ -z $id ]]; then echo "::notice::There is no earlier $name; this is the first run."; exit 0; fi
archive=$(mktemp)
gh api "$artifacts/$id/zip" > "$archive"
python -m zipfile --extract "$archive" "$folder"
rm "$archive"
