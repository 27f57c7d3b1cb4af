#!/usr/bin/env bash
# Opens a pull request on GitHub for the branch that branch.sh pushed, or renews the one that is open, and starts CI: pull_request.sh DIR.
set -euo pipefail
folder=$1 repository="repos/${GITHUB_REPOSITORY:?}" branch=$(< "$1/branch")
title="Retraining, $(jq --raw-output '"batch \(.batch): \(.outcome | gsub("_"; " "))"' "$folder/outcome.json")"
number=$(gh api "$repository/pulls?state=open&head=${GITHUB_REPOSITORY%%/*}:$branch" --jq '.[0].number // empty')
if [[ -n $number ]]; then
  url=$(gh api --method PATCH "$repository/pulls/$number" -f title="$title" -F body="@$folder/summary.md" --jq .html_url)
else
  url=$(gh api --method POST "$repository/pulls" -f title="$title" -f head="$branch" -f base="${BASE:?}" -F body="@$folder/summary.md" \
    --jq .html_url)
fi
gh api --method POST "$repository/actions/workflows/ci.yml/dispatches" -f ref="$branch"
echo "Waiting for a merge: $url" >> "${GITHUB_STEP_SUMMARY:-/dev/stdout}"
