#!/usr/bin/env bash
# Shows the cycle's summary on the page of the run, and tells later jobs whether a person has to approve and whether anything changed.
# Writes for GitHub, and for Azure DevOps where $TF_BUILD is set.
set -euo pipefail
waiting=$(jq '.waiting // false' outputs/cycle/outcome.json)
changed=$(test -s outputs/cycle/change.patch && echo true || echo false)
if [[ -n ${TF_BUILD:-} ]]; then
  echo "##vso[task.uploadsummary]$PWD/outputs/cycle/summary.md"
  echo "##vso[task.setvariable variable=waiting;isOutput=true]$waiting"
  echo "##vso[task.setvariable variable=changed;isOutput=true]$changed"
else
  cat outputs/cycle/summary.md >> "${GITHUB_STEP_SUMMARY:?}"
  printf 'waiting=%s\nchanged=%s\n' "$waiting" "$changed" >> "${GITHUB_OUTPUT:?}"
fi
