"""Which file an object comes from. kustomize knows, but would write it into every object."""

import pathlib
import re

import yaml


class Sources:
    """The files of the base and of one overlay, by the objects in them."""

    def __init__(self, root: pathlib.Path, overlay: str):
        self.files = {}
        for folder in (root / "k8s/base", root / "k8s/bootstrap", root / "k8s/overlays" / overlay):
            for file in sorted(folder.rglob("*.yaml")):
                if file.name == "kustomization.yaml":
                    for made in (yaml.safe_load(file.read_text()) or {}).get("configMapGenerator", []):
                        own = (made.get("envs") or made.get("files") or [file.name])[0]
                        self.files.setdefault(f"ConfigMap/{made['name']}", (file.parent / own).relative_to(root))
                elif not file.name.endswith(".patch.yaml"):
                    for thing in yaml.safe_load_all(file.read_text()):
                        self.files.setdefault(f"{thing['kind']}/{thing['metadata']['name']}", file.relative_to(root))
        self.overlay = pathlib.Path("k8s/overlays") / overlay

    def of(self, fault: str) -> pathlib.Path:
        """The file of the object that a fault names first; the overlay where it cannot be found."""
        name = re.match(r"\w+/[\w.-]+", fault)
        # Jobs end in the release, config maps in a hash.
        known = (part for part in self.shorter(name.group()) if part in self.files) if name else iter(())
        found = next(known, None)
        return self.files[found] if found else self.overlay

    @staticmethod
    def shorter(name: str):
        while name:
            yield name
            name = name.rpartition("-")[0]
