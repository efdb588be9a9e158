"""Every object against the schema of its kind, strictly: a field that the schema does not know is a fault."""

import functools
import importlib.resources
import json
import pathlib
import re

import jsonschema
import referencing
import yaml

from objects import Objects, called

# The releases that are supported today. The package knows more.
VERSIONS = ("1.35.0", "1.36.0", "1.37.0")

METADATA = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


class Checker:
    """Schemas, read once."""

    def __init__(self, own: pathlib.Path):
        self.own = {}
        for file in sorted(own.glob("*.yaml")):
            text = yaml.safe_load(file.read_text())
            for kind in text["kinds"]:
                schema = {"$ref": text["kinds"][kind]["$ref"], "$defs": closed(text["$defs"])}
                target = schema["$defs"][schema["$ref"].rpartition("/")[2]]
                target["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": METADATA}
                self.own[kind] = jsonschema.Draft202012Validator(schema)

    def check(self, them: Objects):
        for thing in them.all:
            kind = f"{thing.get('apiVersion')}/{thing.get('kind')}"
            if kind in self.own:
                yield from told(thing, self.own[kind])
                continue
            # Most faults are faults in every release: one line says so.
            found = {}
            for version in VERSIONS:
                validator = kubernetes(version, thing.get("apiVersion", ""), thing.get("kind", ""))
                unknown = [f"{called(thing)}: neither Kubernetes nor k8s/schemas knows {kind}"]
                for fault in unknown if validator is None else told(thing, validator):
                    found.setdefault(fault, []).append(version)
            yield from (f"{fault} (Kubernetes {', '.join(versions)})" for fault, versions in found.items())


def told(thing, validator):
    for error in sorted(validator.iter_errors(thing), key=lambda error: list(map(str, error.path))):
        field = ".".join(map(str, error.path)) or "(the object)"
        yield f"{called(thing)}: {field}: {error.message[:300]}"


def closed(schema):
    """The schema with every object closed that does not say otherwise."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(part) for name, part in schema.items()}
    if isinstance(made.get("properties"), dict) and ("type" not in made or made["type"] == "object"):
        made.setdefault("type", "object")
        made.setdefault("additionalProperties", False)
    return made


@functools.cache
def kubernetes(version: str, api_version: str, kind: str):
    """The validator of a kind of Kubernetes' own; None if the release does not know it."""
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    file = folder(version) / f"{kind.lower()}-{group}.json"
    if not file.is_file():
        return None
    return jsonschema.Draft202012Validator(json.loads(file.read_text()), registry=definitions(version))


def folder(version: str) -> pathlib.Path:
    package = importlib.resources.files("kubernetes_validate")
    return pathlib.Path(str(package)) / "kubernetes-json-schema" / f"v{version}-local-strict"


@functools.cache
def definitions(version: str):
    text = json.loads((folder(version) / "_definitions.json").read_text())
    return referencing.Resource.from_contents(text) @ referencing.Registry()
