#!/usr/bin/env bash
# Prints who has approved the present run, last; fails where nobody has, as when the environment asks for no reviewer.
set -euo pipefail
approver=$(gh api "repos/${GITHUB_REPOSITORY:?}/actions/runs/${GITHUB_RUN_ID:?}/approvals" \
  --jq 'last(.[] | select(.state == "approved")).user.login // empty')
[[ -n $approver ]] || { echo "::error::Nobody has approved: give the environment model-approval required reviewers." >&2; exit 1; }
echo "$approver"
