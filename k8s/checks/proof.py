"""That the checks can fail: each break of a good overlay must be found, and be named."""

import copy
import pathlib

import house
import practice
import schemas
from objects import Objects, at, containers, pod


def pod_of(name):
    return lambda them: pod(them.get("Deployment", name))


def container_of(name):
    return lambda them: containers(them.get("Deployment", name))[0][1]


def spec_of(kind, name, path="spec"):
    return lambda them: at(them.get(kind, name), path)


def config_of(prefix):
    return lambda them: next(one for one in them.of("ConfigMap") if one["metadata"]["name"].startswith(f"{prefix}-"))["data"]


# What is broken: where, the field, its new value (None takes it away), and what must be said.
SHAPES = [
    (spec_of("Deployment", "care"), "minReadySecond", 5, "Deployment/care: spec: Additional properties"),
    (spec_of("HorizontalPodAutoscaler", "care"), "maxReplicas", "many", "HorizontalPodAutoscaler/care: spec.maxReplicas"),
    (spec_of("Cluster", "steward-db"), "instances", "three", "Cluster/steward-db: spec.instances"),
    (spec_of("Cluster", "steward-db"), "enablePdb", True, "Cluster/steward-db: spec: Additional properties"),
    (spec_of("Pooler", "steward-pooler", "spec.pgbouncer"), "poolMode", "statement", "Pooler/steward-pooler: spec.pgbouncer.poolMode"),
    (spec_of("GRPCRoute", "grpc"), "hostname", "a.example", "GRPCRoute/grpc: spec: Additional properties"),
    (spec_of("Certificate", "care"), "issuerRef", None, "Certificate/care: spec: 'issuerRef' is a required property"),
    (lambda them: them.get("HTTPRoute", "web"), "kind", "HttpRoute", "neither Kubernetes nor k8s/schemas knows"),
]
RULES = [
    (pod_of("care"), "terminationGracePeriodSeconds", 30, "terminationGracePeriodSeconds is 30"),
    (pod_of("care"), "automountServiceAccountToken", True, "automountServiceAccountToken is not false"),
    (pod_of("care"), "serviceAccountName", "nobody", "serviceAccountName nobody is not in the overlay"),
    (pod_of("care"), "hostNetwork", True, "hostNetwork is set"),
    (container_of("care"), "readinessProbe", None, "readinessProbe"),
    (container_of("care"), "image", "registry.example/steward/care:latest", "has no tag of a release"),
    (container_of("care"), "resources", {}, "resources.limits.memory is not set"),
    (lambda them: container_of("care")(them)["securityContext"], "readOnlyRootFilesystem", False, "readOnlyRootFilesystem is not True"),
    (spec_of("Service", "care"), "selector", {"app.kubernetes.io/name": "cares"}, "Service/care: spec.selector finds no pod"),
    (spec_of("NetworkPolicy", "default-deny"), "podSelector", {"matchLabels": {"a": "b"}}, "none denies everything by default"),
    (spec_of("NetworkPolicy", "care"), "egress", [{"to": []}], "leads to every port"),
    (spec_of("NetworkPolicy", "customer"), "ingress", [], "NetworkPolicy/customer: spec.ingress lets in nobody"),
    (spec_of("PodDisruptionBudget", "care"), "selector", {"matchLabels": {"a": "b"}}, "Deployment/care: no disruption budget"),
    (config_of("notification"), "TLS_CALLERS", "gateway,operator", "TLS_CALLERS lets in gateway, but the callers are care, gateway, survey"),
    (config_of("survey"), "CARE_URL", "https://care:8080", "NetworkPolicy/survey: spec.egress keeps it from calling care"),
    (config_of("steward-data"), "DATABASE_CONNECTIONS", "200", "max_client_conn"),
    (spec_of("Pooler", "steward-pooler", "spec.pgbouncer.parameters"), "max_prepared_statements", "0", "must be above 0"),
    (spec_of("Pooler", "steward-pooler", "spec.pgbouncer.parameters"), "default_pool_size", "200", "max_connections"),
    (spec_of("Cluster", "steward-db", "spec.managed"), "roles", [], "bootstrap.sql makes"),
    (config_of("valkey"), "start-node.sh", "if then", "data.start-node.sh"),
]


def check(good: Objects, checker: schemas.Checker, root: pathlib.Path):
    """The breaks that nobody found."""
    for broken, check_it in ((SHAPES, checker.check), (RULES, lambda them: [*practice.check(them), *house.check(them, root)])):
        for where, field, value, said in broken:
            them = Objects(copy.deepcopy(good.all))
            place = where(them)
            place.pop(field, None)
            if value is not None:
                place[field] = value
            if broken is SHAPES:
                # One object tells; all of them would take long.
                them.all = [thing for thing in them.all if thing is place or field_of(thing, place)]
            if not any(said in fault for fault in check_it(them)):
                yield f"the check of {field} does not work: nobody said “{said}”"


def field_of(thing, place) -> bool:
    """Whether `place` is a part of `thing`."""
    if thing is place:
        return True
    parts = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ()
    return any(field_of(part, place) for part in parts)
