"""sbom.py TARGET VERSION EPOCH FOLDER FEATURES: what is inside the archive of one target, from cargo's own resolution.

Writes FOLDER/sbom.cdx.json (CycloneDX 1.5) and FOLDER/licences/, one file a package with every licence text that
its source carries. Only what is linked into the library, and into the command zv where the archive has it, is
listed: no build scripts, macros' compilers or tests.
"""

import datetime
import json
import pathlib
import re
import subprocess
import sys
import uuid

LICENCE_FILE = re.compile(r"^(licen[cs]e|copying|notice|copyright|unlicense)", re.IGNORECASE)
# Build dependencies whose data, and nothing else of them, is written into the library: the tables of GBK.
TABLES = {"encoding_rs"}
# Written into the library by libsqlite3-sys, which is MIT itself.
SQLITE = {"type": "library", "name": "sqlite", "purl": "pkg:generic/sqlite",
          "licenses": [{"license": {"id": "blessing"}}]}


def linked(target, with_command, features):
    """The packages that end up in the archive, sorted, and those each of them needs."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target,
               "--features", features]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}

    def needs(name):
        for dependency in nodes[name]["deps"]:
            package = packages[dependency["pkg"]]
            macro = any("proc-macro" in part["kind"] for part in package["targets"])
            kinds = {None, "build"} if package["name"] in TABLES else {None}
            if not macro and any(kind["kind"] in kinds for kind in dependency["dep_kinds"]):
                yield dependency["pkg"]

    waiting, found = [metadata["resolve"]["root"]], {}
    if with_command:
        waiting += [name for name, package in packages.items() if package["name"] == "zvpos-cli"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = [] if packages[name]["name"] in TABLES else sorted(needs(name))
            waiting.extend(found[name])
    order = sorted(found, key=lambda name: (packages[name]["name"], packages[name]["version"]))
    return metadata["resolve"]["root"], [(packages[name], found[name]) for name in order], packages


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def checksums():
    text = pathlib.Path("Cargo.lock").read_text(encoding="utf-8")
    pattern = re.compile(r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "([0-9a-f]+)"')
    return {(name, version): checksum for name, version, checksum in pattern.findall(text)}


def component(package, sums):
    entry = {"type": "library", "bom-ref": reference(package), "name": package["name"],
             "version": package["version"], "purl": reference(package),
             "licenses": [{"expression": (package["license"] or "NOASSERTION").replace("/", " OR ")}]}
    checksum = sums.get((package["name"], package["version"]))
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return entry


def rust():
    """The standard library is in the file, too."""
    text = subprocess.run(["/usr/bin/rustc", "--version"], check=True, capture_output=True, text=True).stdout
    return {"type": "library", "bom-ref": "rust-std", "name": "rust-std", "version": text.split()[1],
            "licenses": [{"expression": "MIT OR Apache-2.0"}]}


def write_licences(folder, packages):
    folder.mkdir(parents=True)
    without = []
    for package, _ in packages:
        source = pathlib.Path(package["manifest_path"]).parent
        files = sorted(path for path in source.iterdir() if path.is_file() and LICENCE_FILE.match(path.name))
        parts = [f"{package['name']} {package['version']}\n{package['license']}\n{package['repository'] or ''}\n"]
        parts += [f"---- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')}" for path in files]
        if not files:
            without.append(package["name"])
        (folder / f"{package['name']}-{package['version']}.txt").write_text("\n".join(parts), encoding="utf-8")
    if without:
        print(f"  no licence text in the source of: {', '.join(without)}; its file names the licence",
              file=sys.stderr)


def main():
    target, version, epoch, folder, features = sys.argv[1:]
    folder = pathlib.Path(folder)
    with_command = any((folder / "bin" / name).is_file() for name in ("zv", "zv.exe"))
    root, found, packages = linked(target, with_command, features)
    sums = checksums()
    others = [(package, needs) for package, needs in found if package["id"] != root]
    time = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    bom = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'zvpos/{version}/{target}/{epoch}')}",
        "metadata": {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                     "component": {"type": "library", "bom-ref": "zvpos", "name": "zvpos", "version": version,
                                   "licenses": [{"license": {"id": "MIT"}}],
                                   "properties": [{"name": "target", "value": target}]}},
        "components": [component(package, sums) for package, _ in others] + [rust(), SQLITE],
        "dependencies": [{"ref": "zvpos" if package["id"] == root else reference(package),
                          "dependsOn": [reference(packages[name]) for name in needs]}
                         for package, needs in found],
    }
    (folder / "sbom.cdx.json").write_text(json.dumps(bom, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_licences(folder / "licences", [part for part in others if part[0]["source"]])


main()
