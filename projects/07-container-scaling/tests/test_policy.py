"""The manifests keep the rules, and each rule is tried on a planted breach."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from carefolio.exceptions import ConfigError
from carefolio.testing import requires_command
from container_scaling.manifests import OVERLAYS, check_overlays, overlay_folder, render, schema_problems
from container_scaling.policy import problems

pytestmark = requires_command("kubectl")
Change = Callable[[list[dict[str, Any]]], None]


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(overlay_folder(request.param))


@pytest.fixture(scope="module")
def local() -> list[dict[str, Any]]:
    return render(overlay_folder("local"))


def find(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name)


def pod(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return find(objects, "Deployment", "readmission")["spec"]["template"]["spec"]


def test_the_overlays_keep_schemas_and_rules(objects):
    assert schema_problems(objects) == []
    assert problems(objects) == []


def test_what_the_issue_asks_for_is_there(objects):
    kinds = {one["kind"] for one in objects}
    assert kinds >= {"ConfigMap", "CronJob", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Namespace", "NetworkPolicy",
                     "PersistentVolumeClaim", "PodDisruptionBudget", "Service", "ServiceAccount"}
    metrics = find(objects, "HorizontalPodAutoscaler", "readmission")["spec"]["metrics"]
    assert [metric["type"] for metric in metrics] == ["Resource", "Pods"], "the processor, and the rate of requests"
    cycle = find(objects, "CronJob", "retraining")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert "cycle" in cycle["command"]


@pytest.mark.parametrize("overlay", ["aks", "eks"])
def test_cloud_overlays_name_images_by_digest(overlay):
    images = [container["image"] for one in render(overlay_folder(overlay)) if one["kind"] == "Deployment"
              for container in one["spec"]["template"]["spec"]["containers"]]
    assert images
    assert all("@sha256:" in image for image in images)


PLANTED: dict[str, tuple[Change, str]] = {
    "root": (lambda objects: pod(objects)["securityContext"].update(runAsNonRoot=False), "runAsNonRoot must be true"),
    "uid 0": (lambda objects: pod(objects)["containers"][0]["securityContext"].update(runAsUser=0), "runAsUser must not be 0"),
    "host network": (lambda objects: pod(objects).update(hostNetwork=True), "hostNetwork, hostPID and hostIPC must not be set"),
    "no seccomp": (lambda objects: pod(objects)["securityContext"].pop("seccompProfile"), "seccompProfile must be RuntimeDefault"),
    "token": (lambda objects: pod(objects).pop("automountServiceAccountToken"), "automountServiceAccountToken must be false"),
    "default account": (lambda objects: pod(objects).pop("serviceAccountName"), "serviceAccountName must name an account"),
    "host path": (lambda objects: pod(objects)["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "volume x is a hostPath"),
    "endless tmp": (lambda objects: pod(objects)["volumes"].append({"name": "x", "emptyDir": {}}), "volume x has no sizeLimit"),
    "privileged": (lambda objects: pod(objects)["containers"][0]["securityContext"].update(privileged=True), "privileged must not be set"),
    "escalation": (lambda objects: pod(objects)["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
                   "allowPrivilegeEscalation must be false"),
    "writable root": (lambda objects: pod(objects)["containers"][0]["securityContext"].pop("readOnlyRootFilesystem"),
                      "readOnlyRootFilesystem must be true"),
    "capability": (lambda objects: pod(objects)["containers"][0]["securityContext"].update(capabilities={"drop": ["ALL"], "add":
    ["SYS_ADMIN"]}),
                   "must add none but NET_BIND_SERVICE"),
    "all capabilities": (lambda objects: pod(objects)["containers"][0]["securityContext"].pop("capabilities"), "must drop ALL"),
    "no limits": (lambda objects: pod(objects)["containers"][0]["resources"].pop("limits"), "resources.limits must name cpu and memory"),
    "latest": (lambda objects: pod(objects)["containers"][0].update(image="carefolio/readmission:latest"), "tag other than latest"),
    "no tag": (lambda objects: pod(objects)["containers"][0].update(image="carefolio/readmission"), "tag other than latest"),
    "secret in sight": (lambda objects: pod(objects)["containers"][0].update(env=[{"name": "DB_PASSWORD", "value": "x"}]),
                        "DB_PASSWORD must come from a Secret"),
    "host port": (lambda objects: pod(objects)["containers"][0]["ports"][0].update(hostPort=80), "hostPort must not be set"),
    "no probe": (lambda objects: pod(objects)["containers"][0].pop("readinessProbe"), "readinessProbe is missing"),
    "no drain": (lambda objects: pod(objects)["containers"][0].pop("lifecycle"), "preStop must let"),
    "no spread": (lambda objects: pod(objects).pop("topologySpreadConstraints"), "topologySpreadConstraints are missing"),
    "a gap": (lambda objects: find(objects, "Deployment", "readmission")["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
              "maxUnavailable must be 0"),
    "open network": (lambda objects: objects.remove(find(objects, "NetworkPolicy", "default-deny")), "no NetworkPolicy denies all"),
    "half-open network": (lambda objects: find(objects, "NetworkPolicy", "default-deny")["spec"].update(policyTypes=["Ingress"]),
                          "no NetworkPolicy denies all"),
    "open namespace": (lambda objects: find(objects, "Namespace", "carefolio")["metadata"].pop("labels"), "enforce must be restricted"),
    "plain http": (lambda objects: find(objects, "Ingress", "readmission")["spec"].pop("tls"), "tls is missing"),
    "no budget": (lambda objects: objects.remove(find(objects, "PodDisruptionBudget", "readmission")), "no PodDisruptionBudget selects it"),
    "alone": (lambda objects: find(objects, "HorizontalPodAutoscaler", "readmission")["spec"].update(minReplicas=1), "at least 2"),
    "two masters": (lambda objects: find(objects, "Deployment", "readmission")["spec"].update(replicas=3), "left to the autoscaler"),
    "no such secret": (lambda objects: pod(objects)["containers"][0]["envFrom"].append({"secretRef": {"name": "other"}}),
                       "Secret/other is not among the objects"),
}


@pytest.mark.parametrize("breach", PLANTED)
def test_a_planted_breach_is_refused(breach, local):
    changed = copy.deepcopy(local)
    change, sentence = PLANTED[breach]
    change(changed)
    assert any(sentence in problem for problem in problems(changed)), problems(changed)


def test_the_schemas_refuse_what_the_api_server_would(local):
    changed = copy.deepcopy(local)
    pod(changed)["containers"][0]["readinesProbe"] = {}
    find(changed, "HorizontalPodAutoscaler", "readmission")["spec"]["minReplicas"] = "two"
    found = schema_problems(changed)
    assert len(found) == 2
    assert any("readinesProbe" in problem for problem in found)
    assert any("minReplicas" in problem for problem in found)


def test_an_unknown_overlay_is_named():
    with pytest.raises(ConfigError, match="there are local, aks, eks"):
        check_overlays(["gke"])
