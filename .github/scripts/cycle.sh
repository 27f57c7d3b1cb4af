#!/usr/bin/env bash
# Calls `retraining cycle` or `retraining approve` on the run in $STATE and leaves in outputs/cycle what a reviewer reads: summary.md,
# outcome.json, and change.patch, which puts the journal, the summaries and the deployed model into the repository.
set -euo pipefail
verb=$1 record=projects/05-retraining-cicd/operation
shift
read -ra options <<< "${OPTIONS:-}"
mkdir -p outputs/cycle
if [[ $verb == cycle ]]; then set -- --outcome outputs/cycle/outcome.json; fi
.venv/bin/retraining "$verb" --out "${STATE:?}" "${options[@]}" "$@"

last=$(find "$STATE/cycles" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)
cp "$last/summary.md" outputs/cycle/summary.md
if [[ $verb != cycle ]]; then cp "$last/outcome.json" outputs/cycle/outcome.json; fi

mkdir -p "$record"
cp "$STATE/state/journal.jsonl" "$record/"
cp -r "$STATE/cycles" "$record/"
if [[ -d $STATE/deployment ]]; then cp -r "$STATE/deployment" "$record/"; fi
git add --all "$record"
git diff --cached --binary > outputs/cycle/change.patch
