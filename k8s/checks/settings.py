"""The settings of the manifests against the programs themselves: each setting that a program has is given, each that is given exists, and
the program calls the whole valid (`check-config`)."""

import pathlib
import re
import shutil
import subprocess
import tempfile

from objects import Objects, called, containers, pod

# Not for clusters: the movable clock, and the keyring as a value where no file can be mounted.
LEFT_OUT = {"CLOCK_OFFSET_FILE", "KEYRING", "OWNER_DATABASE_URL"}
# Read by the runtime, not by the program.
OTHERS = {"TOKIO_WORKER_THREADS", "DATABASE_USER", "DATABASE_PASSWORD", "REDIS_PASSWORD"}
SECRETS = {"STEWARD_NOTIFICATION__SMTP_URL": "smtps://user:password@smtp.steward.example"}


def check(them: Objects, programs: pathlib.Path):
    with tempfile.TemporaryDirectory() as place:
        mounted = pathlib.Path(place)
        make_files(mounted)
        for workload in them.programs() + them.of("Job"):
            where, container = containers(workload)[0]
            name = re.search(r"/steward/([a-z-]+)[:@]", container["image"])
            if name is None:
                continue
            program = programs / f"steward-{name.group(1)}"
            environment = them.environment(container)
            yield from names(where, environment, program, workload["kind"])
            yield from accepted(where, environment, program, mounted)
            yield from mounts(where, environment, workload, container)


def names(where: str, environment: dict, program: pathlib.Path, kind: str):
    help_text = run(program, ["--help"], {}).stdout
    known = set(re.findall(r"\[(STEWARD_\w+)\]", help_text))
    given = set(environment) - OTHERS
    for name in sorted(given - known):
        yield f"{where}: env {name} is read by nobody [settings]"
    for name in sorted(known - given):
        if kind == "Deployment" and name.partition("__")[2] not in LEFT_OUT:
            yield f"{where}: env has no {name}, which the program reads [settings]"


def accepted(where: str, environment: dict, program: pathlib.Path, mounted: pathlib.Path):
    told = {name: SECRETS.get(name, "secret") if value is None else value for name, value in environment.items()}
    told = {name: value.replace("/etc/steward", str(mounted)) for name, value in told.items()}
    done = run(program, ["check-config"], told)
    if done.returncode != 0:
        for fault in done.stderr.splitlines()[1:] or [done.stderr or f"ended with {done.returncode}"]:
            yield f"{where}: the program refuses its settings: {fault.strip()} [settings]"


def mounts(where: str, environment: dict, workload: dict, container: dict):
    """A file that a setting names lies below a mount."""
    for name, value in environment.items():
        # The token is of the running service; a job of the same settings calls nobody.
        if workload["kind"] == "Job" and name.endswith("SERVICE_TOKEN_FILE"):
            continue
        for path in re.findall(r"/etc/steward/[\w./-]+", value or ""):
            # So does a job trust no issuer.
            if workload["kind"] == "Job" and name.endswith("ISSUERS"):
                continue
            if not any(path.startswith(mount["mountPath"] + "/") for mount in container.get("volumeMounts", [])):
                yield f"{where}: env {name} names {path}, which no volume mounts [settings]"


def run(program: pathlib.Path, arguments: list, environment: dict) -> subprocess.CompletedProcess:
    # Nothing of this process's own environment, in which a setting could hide.
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=20, check=False)


def make_files(mounted: pathlib.Path):
    """What a cluster would mount: a keyring, a token, certificates of an authority of the moment."""
    keyring = "1=" + "ab" * 32 + "\ncurrent=1\nindex=" + "cd" * 32 + "\n"
    for name, text in {"keyring/keyring": keyring, "token/token": "token", "issuer/jwks.json": '{"keys":[]}'}.items():
        file = mounted / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    tls = mounted / "tls"
    tls.mkdir()
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=check"]
    made += ["-addext", "subjectAltName=DNS:check", "-keyout", str(tls / "tls.key"), "-out", str(tls / "tls.crt")]
    subprocess.run(made, check=True, capture_output=True)
    shutil.copy(tls / "tls.crt", tls / "ca.crt")
