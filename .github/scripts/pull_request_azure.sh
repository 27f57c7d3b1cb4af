#!/usr/bin/env bash
# Opens a pull request in Azure Repos for the branch that branch.sh pushed, or renews the one that is open: pull_request_azure.sh DIR.
set -euo pipefail
folder=$1 branch=$(< "$1/branch")
requests="${SYSTEM_COLLECTIONURI:?}${SYSTEM_TEAMPROJECTID:?}/_apis/git/repositories/${BUILD_REPOSITORY_ID:?}/pullrequests"
call() { curl --silent --show-error --fail-with-body --header @- --header 'Content-Type: application/json' "$@" <<< "Authorization: Bearer $SYSTEM_ACCESSTOKEN"; }

# Azure allows 4,000 characters; the whole summary is in the change's evidence and in the pipeline's run.
body=$(jq --null-input --rawfile summary "$folder/summary.md" --slurpfile outcome "$folder/outcome.json" --arg head "refs/heads/$branch" \
  --arg base "${BUILD_SOURCEBRANCH:?}" '{sourceRefName: $head, targetRefName: $base, description: $summary[:4000],
    title: "Retraining, batch \($outcome[0].batch): \($outcome[0].outcome | gsub("_"; " "))"}')
number=$(call "$requests?searchCriteria.status=active&searchCriteria.sourceRefName=refs/heads/$branch&api-version=7.1" | jq '.value[0].pullRequestId // empty')
if [[ -n $number ]]; then
  call --request PATCH --data "$(jq '{title, description}' <<< "$body")" "$requests/$number?api-version=7.1" > /dev/null
else
  number=$(call --data "$body" "$requests?api-version=7.1" | jq .pullRequestId)
fi
echo "Waiting for approval: pull request $number"
