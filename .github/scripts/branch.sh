#!/usr/bin/env bash
# Applies DIR/change.patch on a branch of its own and pushes it: branch.sh DIR USER:TOKEN. The name of the branch goes to DIR/branch.
# The branch is named by what it holds, so that the same change is never proposed twice.
set -euo pipefail
folder=$1 credentials=$2
branch=retrain/$(sha256sum < "$folder/change.patch" | cut -c 1-12)
git switch --quiet --force-create "$branch"
git apply --index --binary "$folder/change.patch"
git -c user.name='retraining' -c user.email='retraining@users.noreply.github.com' commit --quiet \
  --message "Take the next batch through the retraining protocol"
GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraheader GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf '%s' "$credentials" | base64 -w 0)" \
  git push --quiet --force origin "HEAD:refs/heads/$branch"
echo "$branch" > "$folder/branch"
