"""Checks rendered manifests: `check.py OVERLAY=FILE... [--programs DIR]`. One line for each fault: overlay, source file, object, field.

`cargo dev test` renders each overlay with kustomize and runs this (tests/dev/src/checks/manifests.rs); it needs the packages
`kubernetes-validate` (schemas of Kubernetes) and what that brings (PyYAML, jsonschema).
"""

import argparse
import pathlib
import sys

import yaml

import house
import objects
import practice
import proof
import schemas
import settings
import sources


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("rendered", nargs="+", metavar="OVERLAY=FILE")
    arguments.add_argument("--programs", type=pathlib.Path, help="folder of the built programs; their settings are compared then")
    given = arguments.parse_args()

    root = pathlib.Path(__file__).resolve().parents[2]
    checker = schemas.Checker(root / "k8s/schemas")
    faults, counted = [], 0
    for pair in given.rendered:
        overlay, _, file = pair.partition("=")
        them = objects.Objects(yaml.safe_load_all(pathlib.Path(file).read_text()))
        # What does not have the shape that its schema says cannot be looked at further.
        found = list(checker.check(them)) or list(rules(them, root, given.programs))
        lies = sources.Sources(root, overlay)
        faults += [f"{overlay}: {lies.of(fault)}: {fault}" for fault in found]
        counted += len(them.all)
        if not found:
            faults += [f"k8s/checks: {unproven}" for unproven in proof.check(them, checker, root)]
    for fault in faults:
        print(f"FAULT {fault}")
    if not faults:
        print(f"{len(proof.SHAPES) + len(proof.RULES)} breaks were tried in each overlay, and every one was found")
    print(f"{counted} objects of {len(given.rendered)} overlay(s), against Kubernetes {', '.join(schemas.VERSIONS)}: {len(faults)} fault(s)")
    return 1 if faults else 0


def rules(them: objects.Objects, root: pathlib.Path, programs: pathlib.Path | None):
    yield from practice.check(them)
    yield from house.check(them, root)
    if programs:
        yield from settings.check(them, programs)


if __name__ == "__main__":
    sys.exit(main())
