"""The rules that every Kubernetes object of this repository keeps: restricted Pod Security, limits, probes, networks that are closed.

Each rule is a plain function from an object, or from all of them, to sentences about what is wrong. The first group is the "restricted"
profile
of the Pod Security Standards; the rest is what a hospital's platform team would ask next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Manifest = Mapping[str, Any]
WORKLOADS = ("CronJob", "DaemonSet", "Deployment", "Job", "Pod", "StatefulSet")
SERVING = ("DaemonSet", "Deployment", "StatefulSet")
ALLOWED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SECRET_WORD = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)
PINNED = re.compile(r"@sha256:[0-9a-f]{64}$|:(?!latest$)[\w][\w.-]*$")


def problems(manifests: Sequence[Manifest]) -> list[str]:
    """Hold objects against all rules.

    Parameters
    ----------
    manifests : sequence of mapping
        As ``kubectl kustomize`` renders them.

    Returns
    -------
    list of str
        One sentence a breach; empty if there is none.
    """
    found = [f"{name(one)}: {sentence}" for one in manifests if (spec := pod_spec(one)) is not None
             for sentence in [*pod_problems(spec), *(problem for container in containers(spec) for problem in
             container_problems(container)),
                              *(serving_problems(one, spec) if one["kind"] in SERVING else [])]]
    return found + list(whole_problems(manifests))


def name(manifest: Manifest) -> str:
    """Name an object as kubectl does.

    Parameters
    ----------
    manifest : mapping
        The object.

    Returns
    -------
    str
        Such as ``Deployment/readmission``.
    """
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def pod_spec(manifest: Manifest) -> Manifest | None:
    """Find the description of pods in an object.

    Parameters
    ----------
    manifest : mapping
        Any object.

    Returns
    -------
    mapping or None
        None where the object runs nothing.
    """
    if manifest["kind"] not in WORKLOADS:
        return None
    spec: Manifest = manifest["spec"]
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec if manifest["kind"] == "Pod" else spec["template"]["spec"]


def containers(spec: Manifest) -> list[Manifest]:
    """List the containers of a pod, those that start first included.

    Parameters
    ----------
    spec : mapping
        Of the pod.

    Returns
    -------
    list of mapping
        All of them.
    """
    return [*spec.get("initContainers", []), *spec["containers"]]


def pod_problems(spec: Manifest) -> Iterator[str]:
    """Hold a pod against the restricted profile, and ask for no token of the API server.

    Parameters
    ----------
    spec : mapping
        Of the pod.

    Yields
    ------
    str
        A breach.
    """
    context = spec.get("securityContext", {})
    rules = {
        "hostNetwork, hostPID and hostIPC must not be set": not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
        "runAsNonRoot must be true": context.get("runAsNonRoot") is True,
        "runAsUser must not be 0": context.get("runAsUser") != 0,
        "seccompProfile must be RuntimeDefault": context.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
        "automountServiceAccountToken must be false": spec.get("automountServiceAccountToken") is False,
        "serviceAccountName must name an account of its own": spec.get("serviceAccountName", "default") != "default",
    }
    yield from (sentence for sentence, kept in rules.items() if not kept)
    for volume in spec.get("volumes", []):
        if kinds := set(volume) - {"name"} - ALLOWED_VOLUMES:
            yield f"volume {volume['name']} is a {', '.join(sorted(kinds))}; allowed are {', '.join(sorted(ALLOWED_VOLUMES))}"
        if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
            yield f"volume {volume['name']} has no sizeLimit"


def container_problems(container: Manifest) -> Iterator[str]:
    """Hold a container against the restricted profile, and ask for limits, a pinned image and no secret in plain sight.

    Parameters
    ----------
    container : mapping
        One container.

    Yields
    ------
    str
        A breach.
    """
    context, resources = container.get("securityContext", {}), container.get("resources", {})
    capabilities = context.get("capabilities", {})
    rules = {
        "privileged must not be set": not context.get("privileged"),
        "allowPrivilegeEscalation must be false": context.get("allowPrivilegeEscalation") is False,
        "readOnlyRootFilesystem must be true": context.get("readOnlyRootFilesystem") is True,
        "capabilities must drop ALL": "ALL" in capabilities.get("drop", []),
        "capabilities must add none but NET_BIND_SERVICE": set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        "runAsUser must not be 0": context.get("runAsUser") != 0,
        "hostPort must not be set": not any(port.get("hostPort") for port in container.get("ports", [])),
        f"image {container['image']} must have a tag other than latest, or a digest": bool(PINNED.search(container["image"])),
    }
    rules |= {f"resources.{part} must name cpu and memory": {"cpu", "memory"} <= set(resources.get(part, {}))
              for part in ("requests", "limits")}
    rules |= {f"{variable['name']} must come from a Secret": variable["name"].endswith("_FILE")
              for variable in container.get("env", []) if SECRET_WORD.search(variable["name"]) and variable.get("value")}
    yield from (f"{container['name']}: {sentence}" for sentence, kept in rules.items() if not kept)


def serving_problems(manifest: Manifest, spec: Manifest) -> Iterator[str]:
    """Ask what answers requests for probes, and what is replaced while it answers for a drain.

    Parameters
    ----------
    manifest : mapping
        A Deployment or the like.
    spec : mapping
        Of its pods.

    Yields
    ------
    str
        A breach.
    """
    for container in spec["containers"]:
        for probe in ("readinessProbe", "livenessProbe"):
            if probe not in container:
                yield f"{container['name']}: {probe} is missing"
    if manifest["kind"] == "Deployment" and manifest["spec"].get("strategy", {}).get("type") == "RollingUpdate":
        if manifest["spec"]["strategy"].get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield "maxUnavailable must be 0, so that an update takes nothing away"
        if any("preStop" not in container.get("lifecycle", {}) for container in spec["containers"]):
            yield "preStop must let the load balancers forget a pod before it ends"
        if not spec.get("topologySpreadConstraints"):
            yield "topologySpreadConstraints are missing: all replicas may stand on one node"


def whole_problems(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Ask what only all objects together can show: closed networks, a budget, an autoscaler with room, names that exist.

    Parameters
    ----------
    manifests : sequence of mapping
        All objects of an overlay.

    Yields
    ------
    str
        A breach.
    """
    kinds: dict[str, list[Manifest]] = {}
    for one in manifests:
        kinds.setdefault(one["kind"], []).append(one)
    if not any(denies_all(policy) for policy in kinds.get("NetworkPolicy", [])):
        yield "no NetworkPolicy denies all traffic of the namespace"
    wanted: dict[str, tuple[str, Callable[[Manifest], bool]]] = {
        "Namespace": ("pod-security.kubernetes.io/enforce must be restricted",
                      lambda one: one["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") == "restricted"),
        "ServiceAccount": ("automountServiceAccountToken must be false", lambda one: one.get("automountServiceAccountToken") is False),
        "Ingress": ("tls is missing", lambda one: bool(one["spec"].get("tls"))),
    }
    for kind, (sentence, kept) in wanted.items():
        yield from (f"{name(one)}: {sentence}" for one in kinds.get(kind, []) if not kept(one))
    yield from _scaling_problems(kinds)
    yield from _unknown_names(manifests, kinds)


def _scaling_problems(kinds: Mapping[str, list[Manifest]]) -> Iterator[str]:
    scalers = {one["spec"]["scaleTargetRef"]["name"]: one["spec"] for one in kinds.get("HorizontalPodAutoscaler", [])}
    budgets = [one["spec"]["selector"]["matchLabels"] for one in kinds.get("PodDisruptionBudget", [])]
    for deployment in kinds.get("Deployment", []):
        if (scaler := scalers.get(deployment["metadata"]["name"])) is None:
            continue
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        rules = {"no PodDisruptionBudget selects it": any(selector.items() <= labels.items() for selector in budgets),
                 "replicas must be left to the autoscaler": "replicas" not in deployment["spec"],
                 "minReplicas must be at least 2": scaler.get("minReplicas", 1) >= 2}
        yield from (f"{name(deployment)}: {sentence}" for sentence, kept in rules.items() if not kept)


def denies_all(policy: Manifest) -> bool:
    """Say whether a network policy closes its namespace.

    Parameters
    ----------
    policy : mapping
        A NetworkPolicy.

    Returns
    -------
    bool
        True if it selects every pod, in both directions, and lets nothing through.
    """
    spec = policy["spec"]
    both = set(spec.get("policyTypes", [])) == {"Ingress", "Egress"}
    return not spec.get("podSelector") and both and not {"ingress", "egress"} & set(spec)


def _unknown_names(manifests: Sequence[Manifest], kinds: Mapping[str, list[Manifest]]) -> Iterator[str]:
    made = {one["secretName"] for each in kinds.get("SecretProviderClass", []) for one in each["spec"].get("secretObjects", [])}
    known = {kind: {one["metadata"]["name"] for one in kinds.get(kind, [])} for kind in ("ConfigMap", "PersistentVolumeClaim",
    "ServiceAccount")}
    known["Secret"] = {one["metadata"]["name"] for one in kinds.get("Secret", [])} | made
    for one in manifests:
        if (spec := pod_spec(one)) is None:
            continue
        used = {"ServiceAccount": {spec.get("serviceAccountName")}, "ConfigMap": set(), "Secret": set(), "PersistentVolumeClaim": {
            volume["persistentVolumeClaim"]["claimName"] for volume in spec.get("volumes", []) if "persistentVolumeClaim" in volume}}
        for container in containers(spec):
            for source in container.get("envFrom", []):
                for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                    used[kind] |= {source[key]["name"]} if key in source else set()
        for kind, names in used.items():
            for missing in sorted(str(each) for each in names - known[kind] if each):
                yield f"{name(one)}: {kind}/{missing} is not among the objects"
