"""The objects of one rendered overlay, and how to find one's way among them."""

WORKLOADS = ("Deployment", "StatefulSet", "Job")


def called(thing: dict) -> str:
    """`Deployment/customer`"""
    return f"{thing.get('kind')}/{thing.get('metadata', {}).get('name')}"


def at(thing, path: str):
    """What stands at `spec.template.spec`, or None."""
    for part in path.split("."):
        if not isinstance(thing, dict):
            return None
        thing = thing.get(part)
    return thing


class Objects:
    """All objects of an overlay."""

    def __init__(self, documents):
        self.all = [without_nulls(document) for document in documents if document]

    def of(self, *kinds: str) -> list:
        return [thing for thing in self.all if thing.get("kind") in kinds]

    def get(self, kind: str, name: str) -> dict | None:
        return next((thing for thing in self.of(kind) if thing["metadata"]["name"] == name), None)

    def workloads(self) -> list:
        return self.of(*WORKLOADS)

    def programs(self) -> list:
        """The deployments of the six."""
        return [thing for thing in self.of("Deployment") if labels(thing).get("app.kubernetes.io/component") in ("service", "gateway")]

    def environment(self, container: dict) -> dict:
        """The variables of a container as the kubelet would make them; None for what comes from a secret."""
        made = {}
        for source in container.get("envFrom", []):
            config = self.get("ConfigMap", source["configMapRef"]["name"])
            for name, value in (config or {}).get("data", {}).items():
                made[source.get("prefix", "") + name] = value
        for entry in container.get("env", []):
            value = entry.get("value")
            if value is not None:
                for name, known in made.items():
                    value = value.replace(f"$({name})", known or "secret")
            made[entry["name"]] = value
        return made


def without_nulls(thing):
    """To Kubernetes, a null is what is not there."""
    if isinstance(thing, dict):
        return {name: without_nulls(part) for name, part in thing.items() if part is not None}
    if isinstance(thing, list):
        return [without_nulls(part) for part in thing]
    return thing


def labels(thing: dict) -> dict:
    return thing.get("metadata", {}).get("labels") or {}


def pod(workload: dict) -> dict:
    """The pod's spec of a workload."""
    return at(workload, "spec.template.spec") or {}


def containers(workload: dict) -> list:
    """(`Deployment/customer, container steward`, container) of each container, those that run first too."""
    spec = pod(workload)
    every = spec.get("initContainers", []) + spec.get("containers", [])
    return [(f"{called(workload)}, container {one.get('name')}", one) for one in every]


def selects(selector: dict | None, these: dict) -> bool:
    """Whether a label selector chooses something with these labels. An empty one chooses everything."""
    selector = selector or {}
    for name, value in (selector.get("matchLabels") or {}).items():
        if these.get(name) != value:
            return False
    for rule in selector.get("matchExpressions") or []:
        value, values = these.get(rule["key"]), rule.get("values", [])
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": rule["key"] in these,
            "DoesNotExist": rule["key"] not in these,
        }[rule["operator"]]
        if not holds:
            return False
    return True
