"""What only this house knows: who calls whom, how long a drain takes, how many connections there are, what a release is called."""

import pathlib
import re

from objects import Objects, at, called, containers, labels, pod, selects

GRPC = 8080


def check(them: Objects, root: pathlib.Path):
    for part in (callers, drain, connections, roles, secrets):
        for fault in part(them):
            yield f"{fault} [{part.__name__}]"
    yield from (f"{fault} [release]" for fault in release(them, root))


def name_of(workload: dict) -> str:
    return workload["metadata"]["name"]


def settings_of(them: Objects, workload: dict) -> dict:
    """What the program is told, without the prefix."""
    environment = them.environment(containers(workload)[0][1])
    return {name.partition("__")[2]: value for name, value in environment.items() if name.startswith("STEWARD_")}


def callers(them: Objects):
    """Three places say who calls whom: the addresses of peers, the callers that a certificate lets in, the network. They must agree."""
    programs = {name_of(workload): workload for workload in them.programs()}
    calls = {(name, peer) for name, workload in programs.items() for peer in peers(settings_of(them, workload))}
    for name, peer in sorted(calls):
        if peer not in programs:
            yield f"Deployment/{name}: a setting names {peer}, which is no program"
    for peer, workload in programs.items():
        expected = {name for name, called_one in calls if called_one == peer}
        welcome = settings_of(them, workload).get("TLS_CALLERS") or ""
        proven = {name for name in welcome.split(",") if name} - {"operator"}
        if welcome and proven != expected:
            yield f"ConfigMap/{peer}: TLS_CALLERS lets in {listed(proven)}, but the callers are {listed(expected)}"
        allowed = {name for name in programs if passes(them, programs[name], workload, "ingress")}
        if allowed != expected:
            yield f"NetworkPolicy/{peer}: spec.ingress lets in {listed(allowed)}, but the callers are {listed(expected)}"
        for name in programs:
            if passes(them, programs[name], workload, "egress") != ((name, peer) in calls):
                says = "keeps it from calling" if (name, peer) in calls else "lets it call"
                yield f"NetworkPolicy/{name}: spec.egress {says} {peer}"


def peers(settings: dict):
    for name, value in settings.items():
        found = re.fullmatch(r"https?://([a-z-]+):8080", value or "") if name.endswith("_URL") else None
        if found:
            yield found.group(1)


def passes(them: Objects, caller: dict, peer: dict, way: str) -> bool:
    """Whether the network lets `caller` reach the gRPC port of `peer`, as far as one of the two sides decides."""
    from_labels, to_labels = (labels(one["spec"]["template"]) for one in (caller, peer))
    chosen, other, side = (to_labels, from_labels, "from") if way == "ingress" else (from_labels, to_labels, "to")
    for policy in them.of("NetworkPolicy"):
        if not selects(policy["spec"]["podSelector"], chosen):
            continue
        for rule in policy["spec"].get(way) or []:
            to_port = any(port.get("port") == GRPC for port in rule.get("ports", []))
            ends = [end["podSelector"] for end in rule.get(side, []) if "podSelector" in end and "namespaceSelector" not in end]
            if to_port and any(selects(end, other) for end in ends):
                return True
    return False


def drain(them: Objects):
    """Notice, deadline, ten seconds of the jobs, and some to spare, before the kubelet kills."""
    for workload in them.programs():
        settings = settings_of(them, workload)
        needed = (int(settings["DRAIN_NOTICE_MS"]) + int(settings["DRAIN_DEADLINE_MS"])) / 1000 + 10 + 5
        grace = pod(workload).get("terminationGracePeriodSeconds", 30)
        if grace < needed:
            yield f"{called(workload)}: terminationGracePeriodSeconds is {grace}, a drain needs {needed:g}"
        probe = at(containers(workload)[0][1], "readinessProbe.grpc.port")
        if settings["HEALTH_LISTEN"].rpartition(":")[2] != str(probe):
            yield f"{called(workload)}: readinessProbe.grpc.port is {probe}, but health listens at {settings['HEALTH_LISTEN']}"


def connections(them: Objects):
    """Services fit into the poolers, poolers into Postgres."""
    pooler, cluster = them.get("Pooler", "steward-pooler"), them.get("Cluster", "steward-db")
    if not pooler or not cluster:
        return
    wanted, logins = 0, 0
    for workload in them.programs():
        most = at(them.get("HorizontalPodAutoscaler", name_of(workload)) or {}, "spec.maxReplicas")
        if most is None:
            yield f"{called(workload)}: has no autoscaler"
        elif "DATABASE_CONNECTIONS" in (settings := settings_of(them, workload)):
            # A roll-out adds one replica. Each asks on one connection more whether the others can be trusted.
            wanted += (most + 1) * (int(settings["DATABASE_CONNECTIONS"]) + 1)
            logins += 1
    parameters, poolers = pooler["spec"]["pgbouncer"]["parameters"], pooler["spec"]["instances"]
    # One pooler may be away while its node is drained.
    held = max(poolers - 1, 1) * int(parameters["max_client_conn"])
    if wanted > held:
        yield f"Pooler/steward-pooler: spec.pgbouncer.parameters.max_client_conn: services open up to {wanted} connections, poolers hold {held}"
    opened = poolers * logins * (int(parameters["default_pool_size"]) + int(parameters.get("reserve_pool_size", 0)))
    most = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    if opened + 25 > most:
        field = "spec.postgresql.parameters.max_connections"
        yield f"Cluster/steward-db: {field} is {most}; poolers open up to {opened}, and 25 are for migrations and people"
    if int(parameters.get("max_prepared_statements", 0)) == 0 and pooler["spec"]["pgbouncer"]["poolMode"] == "transaction":
        yield "Pooler/steward-pooler: spec.pgbouncer.parameters.max_prepared_statements must be above 0 in transaction mode"


def roles(them: Objects):
    """Whoever logs in is a role with a password, and what bootstrap.sql makes is what the cluster manages."""
    cluster, config = them.get("Cluster", "steward-db"), them.get("ConfigMap", "steward-bootstrap")
    if not cluster or not config:
        return
    managed = {role["name"]: at(role, "passwordSecret.name") for role in cluster["spec"]["managed"]["roles"]}
    services = re.search(r"ARRAY\[([^\]]*)\]", config["data"]["bootstrap.sql"]).group(1)
    made = {f"{service}_{end}" for service in re.findall(r"'(\w+)'", services) for end in ("owner", "app")}
    if set(managed) != made:
        yield f"Cluster/steward-db: spec.managed.roles are {listed(set(managed))}, bootstrap.sql makes {listed(made)}"
    for workload in them.workloads():
        for where, container in containers(workload):
            entries = {entry["name"]: entry for entry in container.get("env", [])}
            if "DATABASE_USER" not in entries:
                continue
            user = entries["DATABASE_USER"]["value"]
            secret = at(entries["DATABASE_PASSWORD"], "valueFrom.secretKeyRef.name")
            if managed.get(user) != secret:
                yield f"{where}: env DATABASE_PASSWORD is of secret {secret}, but {user} has that of {managed.get(user)}"


def secrets(them: Objects):
    """A secret that is used is made by a certificate or the database's operator, or listed in the README."""
    readme = (pathlib.Path(__file__).resolve().parents[1] / "README.md").read_text()
    made = {certificate["spec"]["secretName"] for certificate in them.of("Certificate")} | {"steward-db-ca"}
    for workload in them.workloads():
        names = {volume["secret"]["secretName"] for volume in pod(workload).get("volumes", []) if "secret" in volume}
        for _, container in containers(workload):
            names |= {name for entry in container.get("env", []) if (name := at(entry, "valueFrom.secretKeyRef.name"))}
        for name in sorted(names - made):
            generic = re.sub(r"-(customer|work-order|notification|survey|care)\b", "-SERVICE", name)
            if f"`{name}`" not in readme and f"`{generic}`" not in readme:
                yield f"{called(workload)}: secret {name} is made by nothing here and is not in the table of k8s/README.md"


def release(them: Objects, root: pathlib.Path):
    """The version of the workspace, the tags of the images, and the ends of the jobs' names are one."""
    version = re.search(r'^version = "([^"]+)"', (root / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    for workload in them.workloads():
        image = containers(workload)[0][1]["image"]
        if "/steward/" in image and not image.endswith(f":{version}"):
            yield f"{called(workload)}: image {image} is not of release {version}"
    for job in them.of("Job"):
        if not name_of(job).endswith("-" + version.replace(".", "-")):
            yield f"{called(job)}: metadata.name does not end in release {version}, so a new release could not replace it"


def listed(names) -> str:
    return ", ".join(sorted(names)) or "nobody"
