"""Good practice that no schema can say. Each rule is a function that yields faults; its name is what the fault is called.

What checkov finds too is not repeated here, except what must hold for the operators' and our own objects together.
"""

import subprocess

from objects import Objects, called, containers, labels, pod, selects

RULES = []


def rule(check):
    RULES.append(check)
    return check


def check(them: Objects):
    for one in RULES:
        for fault in one(them):
            yield f"{fault} [{one.__name__.replace('_', '-')}]"


@rule
def resources_set(them):
    for where, container in containers_of(them):
        for field in ("requests.cpu", "requests.memory", "limits.memory"):
            kind, name = field.split(".")
            if name not in (container.get("resources", {}).get(kind) or {}):
                yield f"{where}: resources.{field} is not set"


@rule
def probes_set(them):
    for workload in them.of("Deployment", "StatefulSet"):
        for where, container in containers(workload):
            for probe in ("readinessProbe", "livenessProbe"):
                if probe not in container:
                    yield f"{where}: {probe} is not set"


@rule
def restricted(them):
    for workload in them.workloads():
        spec = pod(workload)
        security = spec.get("securityContext", {})
        wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        for field, value in wanted.items():
            if security.get(field) != value:
                yield f"{called(workload)}: securityContext.{field} is not {value}"
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                yield f"{called(workload)}: {field} is set"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{called(workload)}: automountServiceAccountToken is not false"
        for volume in spec.get("volumes", []):
            if "hostPath" in volume:
                yield f"{called(workload)}: volume {volume['name']} is a hostPath"
    for where, container in containers_of(them):
        security = container.get("securityContext", {})
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        for field, value in wanted.items():
            if security.get(field) != value:
                yield f"{where}: securityContext.{field} is not {value}"


@rule
def image_pinned(them):
    for where, container in containers_of(them):
        name, _, tag = container["image"].rpartition(":")
        if "@sha256:" not in container["image"] and (not name or "/" in tag or tag == "latest"):
            yield f"{where}: image {container['image']} has no tag of a release"


@rule
def account_exists(them):
    for workload in them.workloads():
        account = pod(workload).get("serviceAccountName", "default")
        if them.get("ServiceAccount", account) is None:
            yield f"{called(workload)}: serviceAccountName {account} is not in the overlay"


@rule
def config_exists(them):
    for workload in them.workloads():
        names = [volume["configMap"]["name"] for volume in pod(workload).get("volumes", []) if "configMap" in volume]
        for _, container in containers(workload):
            names += [source["configMapRef"]["name"] for source in container.get("envFrom", []) if "configMapRef" in source]
        for name in names:
            if them.get("ConfigMap", name) is None and name not in MADE_BY_HAND:
                yield f"{called(workload)}: config map {name} is not in the overlay"


# k8s/overlays/dev/secrets.sh makes it.
MADE_BY_HAND = {"issuer-jwks"}


@rule
def selector_finds_pods(them):
    pods = [labels(workload["spec"]["template"]) for workload in them.workloads()]
    for service in them.of("Service"):
        if not any(selects({"matchLabels": service["spec"].get("selector")}, one) for one in pods):
            yield f"{called(service)}: spec.selector finds no pod"
    for budget in them.of("PodDisruptionBudget"):
        selector = budget["spec"]["selector"]
        if "cnpg.io/poolerName" not in selector.get("matchLabels", {}) and not any(selects(selector, one) for one in pods):
            yield f"{called(budget)}: spec.selector finds no pod"
    for workload in them.of("Deployment", "StatefulSet"):
        if not selects(workload["spec"]["selector"], labels(workload["spec"]["template"])):
            yield f"{called(workload)}: spec.selector does not find its own pods"


@rule
def port_named(them):
    """A service leads to a port that its pods have."""
    for service in them.of("Service"):
        for workload in them.workloads():
            if not selects({"matchLabels": service["spec"].get("selector")}, labels(workload["spec"]["template"])):
                continue
            known = {port["name"] for _, one in containers(workload) for port in one.get("ports", [])}
            for port in service["spec"]["ports"]:
                if isinstance(port.get("targetPort"), str) and port["targetPort"] not in known:
                    yield f"{called(service)}: targetPort {port['targetPort']} is no port of {called(workload)}"


@rule
def mounts_have_volumes(them):
    for workload in them.workloads():
        volumes = {volume["name"] for volume in pod(workload).get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        for where, container in containers(workload):
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield f"{where}: volumeMounts names {mount['name']}, which is no volume"


@rule
def network_listed(them):
    """Nothing is open by default, and each workload has a policy both ways."""
    policies = them.of("NetworkPolicy")
    if not any(policy["spec"]["podSelector"] == {} and not policy["spec"].get("ingress") and not policy["spec"].get("egress") for policy in policies):
        yield "NetworkPolicy: none denies everything by default"
    for workload in them.workloads():
        these, chosen = labels(workload["spec"]["template"]), [policy["spec"]["podSelector"] for policy in policies]
        if not any(selector and selects(selector, these) for selector in chosen):
            yield f"{called(workload)}: no network policy chooses its pods"
    for policy in policies:
        for number, way in enumerate(policy["spec"].get("ingress") or []):
            if not way.get("from") or not way.get("ports"):
                yield f"{called(policy)}: spec.ingress.{number} is open to everybody or on every port"
        for number, way in enumerate(policy["spec"].get("egress") or []):
            if not way.get("ports"):
                yield f"{called(policy)}: spec.egress.{number} leads to every port"


@rule
def survives_a_drain(them):
    """What has replicas keeps some of them while nodes are drained."""
    for workload in them.of("Deployment", "StatefulSet"):
        if labels(workload).get("app.kubernetes.io/component") == "development":
            continue
        these = labels(workload["spec"]["template"])
        if not any(selects(budget["spec"]["selector"], these) for budget in them.of("PodDisruptionBudget")):
            yield f"{called(workload)}: no disruption budget chooses its pods"
    for workload in them.programs():
        if workload["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{called(workload)}: spec.strategy.rollingUpdate.maxUnavailable is not 0"
        if "replicas" in workload["spec"]:
            yield f"{called(workload)}: spec.replicas is set, which would undo the autoscaler at each roll-out"


@rule
def stage_said(them):
    for thing in them.all:
        if labels(thing).get("steward.dev/stage") not in ("foundation", "data", "migrations", "services"):
            yield f"{called(thing)}: metadata.labels has no steward.dev/stage, so nobody would apply it"


@rule
def scripts_parse(them):
    """A script in a config map is one that a shell can read."""
    for config in them.of("ConfigMap"):
        for name, text in config.get("data", {}).items():
            if name.endswith(".sh"):
                read = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)
                if read.returncode != 0:
                    yield f"{called(config)}: data.{name}: {read.stderr.strip()}"


def containers_of(them: Objects):
    for workload in them.workloads():
        yield from containers(workload)
