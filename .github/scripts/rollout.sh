#!/usr/bin/env bash
# Puts $IMAGE (by digest) into service as the Docker Swarm service $SERVICE, one replica after the other. A replica that does not become
# healthy makes Swarm go back by itself; an answer that fails the smoke test afterwards makes this script go back. Either way it fails.
# $API_KEY is what callers present; $SERVICE_URL is the address to test where it is not on this machine. $MONITOR_S is how long Swarm watches a
# new replica before it goes on to the next, $WATCH_S how long the smoke test goes on asking.
set -euo pipefail
: "${IMAGE:?}" "${SERVICE:?}" "${API_KEY:?give the environment a secret API_KEY of 20 characters or more}"
replicas=${REPLICAS:-2} watch_s=${WATCH_S:-60} monitor_s=${MONITOR_S:-90}
summary=${GITHUB_STEP_SUMMARY:-/dev/stdout}
fail() { echo "::error::$SERVICE: $1"; echo "**$SERVICE:** $1" >> "$summary"; exit 1; }
running() { docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "$SERVICE"; }

smoke() {
  local urls=()
  if [[ -n ${SERVICE_URL:-} ]]; then urls=("$SERVICE_URL"); fi
  for container in $(docker ps --quiet --filter "label=com.docker.swarm.service.name=$SERVICE"); do
    if [[ -z ${SERVICE_URL:-} ]]; then urls+=("http://127.0.0.1:$(docker port "$container" 8000/tcp | sed -n '1s/.*://p')"); fi
  done
  API_KEY=$API_KEY python3 .github/scripts/smoke.py --watch-s "$watch_s" "${urls[@]}"
}

[[ $IMAGE =~ @sha256:[0-9a-f]{64}$ ]] || fail "the image must be named by digest; got $IMAGE"
if [[ $(docker info --format '{{.Swarm.LocalNodeState}}') == inactive ]]; then docker swarm init --advertise-addr 127.0.0.1 > /dev/null; fi
key="$SERVICE-key-$(sha256sum <<< "$API_KEY" | cut -c 1-12)"
docker secret inspect "$key" > /dev/null 2>&1 || printf '%s' "$API_KEY" | docker secret create "$key" - > /dev/null

if ! docker service inspect "$SERVICE" > /dev/null 2>&1; then
  docker service create --quiet --with-registry-auth --name "$SERVICE" --replicas "$replicas" --endpoint-mode dnsrr \
    --publish mode=host,target=8000 --secret "source=$key,target=api_keys" --env CAREFOLIO_API_KEYS_FILE=/run/secrets/api_keys \
    --update-order start-first --update-parallelism 1 --update-failure-action rollback --update-monitor "${monitor_s}s" \
    --restart-max-attempts 2 --detach "$IMAGE" > /dev/null
  for _ in $(seq "$monitor_s"); do
    if [[ $(docker service ls --filter "name=$SERVICE" --format '{{.Replicas}}') == "$replicas/$replicas"* ]]; then break; fi
    sleep 1
  done
  if ! smoke; then docker service rm "$SERVICE" > /dev/null; fail "$IMAGE failed its first smoke test and was taken away"; fi
  echo "**$SERVICE:** first deployment of \`$IMAGE\`" >> "$summary"
  exit 0
fi

before=$(running)
old_key=$(docker service inspect --format '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}}{{end}}' "$SERVICE")
if [[ $before == "$IMAGE" && $old_key == "$key" ]]; then smoke; echo "**$SERVICE:** \`$IMAGE\` is in service already" >> "$summary"; exit 0; fi
rotate=()
if [[ $old_key != "$key" ]]; then rotate=(--secret-rm "$old_key" --secret-add "source=$key,target=api_keys"); fi
docker service update --quiet --with-registry-auth --image "$IMAGE" --replicas "$replicas" "${rotate[@]}" "$SERVICE" > /dev/null ||
  echo "the engine reports that the update did not go through"
state=$(docker service inspect --format '{{.UpdateStatus.State}}' "$SERVICE")
[[ $state == completed && $(running) == "$IMAGE" ]] || fail "$IMAGE did not become healthy ($state); \`$before\` is in service"
if ! smoke; then
  docker service rollback --quiet "$SERVICE" > /dev/null
  [[ $(running) == "$before" ]] || fail "$IMAGE failed its smoke test, and so did going back: act now"
  fail "$IMAGE failed its smoke test; \`$before\` is back in service"
fi
echo "**$SERVICE:** \`$before\` replaced by \`$IMAGE\`" >> "$summary"
