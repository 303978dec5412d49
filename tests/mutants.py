"""mutants.py [--shard K/N] [--since COMMIT] [--under PATH] [--minutes M]: mutation testing of what decides about money.

cargo-mutants changes one expression of the files in `.cargo/mutants.toml` at a time: an operator, a condition, a
returned value. The unit tests of the changed package must fail, or else a thousand seeds of the simulation. What passes
all of them is a survivor: a new test catches it, or tests/survivors.txt lists it with the reason why it changes nothing.

--shard K/N    one of N parts of the list, K from 0 to N - 1
--since COMMIT only what the changes since that commit touch
--under PATH   only the files whose path begins so; may be repeated
--minutes M    ends after so many minutes (150) and says what is left; the next run goes on from there

The order is random, so that what a short run leaves out is not always the same. It works on a copy of the sources in
target/mutants/tree, and keeps the results in target/mutants/results.json. A result stays valid as long as the lines
around the change are the same; a survivor is tried again after any change of the sources.
Exit 1: a survivor that is not listed, or a line in the list that is wrong. Exit 2: something is missing or does not run.
"""

import argparse
import filecmp
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target/mutants"
TREE = WORK / "tree"
RESULTS = WORK / "results.json"
LISTED = ROOT / "tests/survivors.txt"
PROGRAM = ROOT / "target/tools/cargo-mutants/bin/cargo-mutants"
SEEDS = "1000"

# Which tests a mutant meets, one stage after the other, until one catches it: the packages whose code is changed, the
# package that is tested, what of it is built and run, and how far it is optimised: compiling takes longest, except
# where seeds run.
STAGES = {
    "core": {
        "changes": "zvpos-core",
        "tests": "zvpos-core",
        "builds": ["--lib"],
        # Those of the rooms that are changed and of the room above them, except one that waits half a minute.
        "runs": ["--", "api::", "gateway::", "payment::", "runtime::", "--skip", "a_dead_tills_intent_has_its_turn"],
        "optimised": "0",
    },
    "boundary": {
        "changes": "zvpos",
        "tests": "zvpos",
        "builds": ["--lib"],
        "runs": [],
        "optimised": "0",
    },
    "simulation": {
        "changes": "zvpos-core",
        "tests": "zvpos-simulation",
        "builds": ["--test=invariants"],
        "runs": ["no_seed_breaks_an_invariant"],
        "optimised": "1",
    },
}
SUMMARIES = {
    "CaughtMutant": "caught",
    "MissedMutant": "missed",
    "Timeout": "timeout",
    "Unviable": "unviable",
}


class Failed(Exception):
    """What is missing or does not run."""


class Mutant:
    """One change of one expression, as `cargo mutants --list --json` describes it."""

    def __init__(self, described):
        self.name = described["name"]
        self.package = described["package"]
        self.file = described["file"]
        # The name without its place: the file, what is changed, and in which function.
        self.text = re.sub(r":\d+:\d+: ", ": ", self.name, count=1)
        lines = described["diff"].splitlines()[2:]
        lines = [line.replace(" /* ~ changed by cargo-mutants ~ */", "") for line in lines]
        self.added = [line[1:].strip() for line in lines if line.startswith("+")]
        # The change with the lines around it, wherever these stand in the file.
        around = [line for line in lines if not line.startswith("@@")]
        self.key = hashlib.sha256("\n".join([self.text, *around]).encode()).hexdigest()[:24]

    def area(self):
        parts = pathlib.PurePath(self.file).parts
        return "/".join(parts[:-1]) if len(parts) > 2 else self.file


class Listed:
    """A block of tests/survivors.txt."""

    def __init__(self, block):
        first, *rest = block.splitlines()
        self.text = first
        self.added = [line[1:].strip() for line in rest if line.startswith("+")]
        self.reason = " ".join(line.strip() for line in rest if not line.startswith("+"))
        if not self.reason:
            raise Failed(f"{LISTED.name}: {first}: no reason")

    def names(self, mutant):
        return mutant.text == self.text and (not self.added or mutant.added == self.added)


def listed():
    blocks = LISTED.read_text().strip().split("\n\n")
    return [Listed(block) for block in blocks if not block.startswith("#")]


def output_of(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} ends with {done.returncode}")
    return done.stdout


def copy_sources():
    """Makes TREE the same as the sources; gives a hash of them. What is the same keeps its date, so that only what
    changed is built again; what differs gets a new one, because a run that was killed may have left a mutant there."""
    everything = hashlib.sha256()
    wanted = set()
    for name in output_of("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        source, copy = ROOT / name, TREE / name
        if not name or not source.is_file():
            continue
        wanted.add(copy)
        if not (copy.is_file() and filecmp.cmp(source, copy, shallow=False)):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            shutil.copymode(source, copy)
        if name.split("/")[0] in ("Cargo.lock", "Cargo.toml", "core", "sandbox", "simulation", "src"):
            everything.update(name.encode() + b"\0" + source.read_bytes())
    for folder in ("core", "sandbox", "simulation", "src"):
        for copy in (TREE / folder).rglob("*.rs"):
            if copy not in wanted:
                copy.unlink()
    return everything.hexdigest()[:24]


def cargo_mutants(*arguments):
    return [str(PROGRAM), "mutants", "--dir", str(TREE), "--workspace", "--colors", "never", *arguments]


def list_mutants(*arguments):
    done = subprocess.run(
        cargo_mutants("--list", "--json", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        raise Failed(f"cargo mutants --list: {done.stderr.strip()}")
    # Where a diff touches no source there is no list, not even an empty one.
    return [Mutant(described) for described in json.loads(done.stdout or "[]")]


class Results:
    """What came of each mutant, by its key: {stage: caught, missed, timeout or unviable} and of which sources."""

    def __init__(self, sources):
        self.sources = sources
        self.known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}

    def of(self, mutant, stage):
        """The result of a stage that is still valid."""
        known = self.known.get(mutant.key, {}).get(stage)
        if known is None or (known["result"] == "missed" and known["sources"] != self.sources):
            return None
        return known["result"]

    def was_missed(self, mutant):
        return any(known["result"] == "missed" for known in self.known.get(mutant.key, {}).values())

    def collect(self, stage):
        """Takes over what a run of cargo-mutants has found, also one that was ended."""
        folder = WORK / stage / "mutants.out"
        if not (folder / "outcomes.json").is_file():
            return
        sources = (WORK / stage / "sources").read_text()
        mutants = {mutant.name: mutant for mutant in map(Mutant, json.loads((folder / "mutants.json").read_text()))}
        for outcome in json.loads((folder / "outcomes.json").read_text())["outcomes"]:
            result = SUMMARIES.get(outcome["summary"])
            if isinstance(outcome["scenario"], dict) and result:
                mutant = mutants[outcome["scenario"]["Mutant"]["name"]]
                self.known.setdefault(mutant.key, {})[stage] = {"result": result, "sources": sources}
        beside = RESULTS.with_suffix(".new")
        beside.write_text(json.dumps(self.known, indent=0, sort_keys=True))
        beside.replace(RESULTS)

    def settled(self, mutant):
        """caught, timeout, unviable, missed by all of its stages, or None for one that is not finished."""
        for stage, about in STAGES.items():
            if about["changes"] == mutant.package:
                result = self.of(mutant, stage)
                if result != "missed":
                    return result
        return "missed"


def environment(about):
    """Builds go to the copy's own folder, whatever is set for others."""
    variables = dict(os.environ, SEEDS=SEEDS, CARGO_PROFILE_MUTANTS_OPT_LEVEL=about["optimised"])
    variables.pop("CARGO_TARGET_DIR", None)
    return variables


def without_a_mutant(stage, end):
    """How many seconds the tests of a stage take where nothing is changed; they must pass. None if the time is over.
    cargo-mutants itself would run those of the package that is changed."""
    about = STAGES[stage]
    cargo = [*os.environ.get("CARGO", "cargo").split(), "test", "--profile=mutants", "--package", about["tests"]]
    cargo += about["builds"]
    for command in ([*cargo, "--no-run"], [*cargo, *about["runs"]]):
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=TREE,
                env=environment(about),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=max(0, end - started),
            )
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0:
            raise Failed(f"{stage}: without a mutant {' '.join(command)} fails:\n{done.stdout[-3000:]}")
    return time.monotonic() - started


def run_stage(stage, every, mutants, results, end):
    """Runs the mutants that this stage has no result of, for as long as there is time."""
    about = STAGES[stage]
    pending = [mutant for mutant in mutants if about["changes"] == mutant.package]
    pending = [mutant for mutant in pending if results.settled(mutant) is None and not results.of(mutant, stage)]
    # Those that no run has tried come before the survivors of an earlier state.
    again = [mutant for mutant in pending if results.was_missed(mutant)]
    for chosen in ([mutant for mutant in pending if mutant not in again], again):
        if not chosen:
            continue
        print(f"{stage}: {len(chosen)} mutants", flush=True)
        folder = WORK / stage
        seconds = without_a_mutant(stage, end)
        remaining = end - time.monotonic()
        if seconds is None or remaining < seconds:
            return
        shutil.rmtree(folder / "mutants.out", ignore_errors=True)
        (folder / "mutants.out").mkdir(parents=True)
        (folder / "sources").write_text(results.sources)
        # All others pass for caught by an earlier run: its filters by name let some kinds of mutants through.
        others = {mutant.name for mutant in every} - {mutant.name for mutant in chosen}
        (folder / "mutants.out/caught.txt").write_text("".join(f"{name}\n" for name in sorted(others)))
        command = cargo_mutants("--in-place", "--shuffle", "--iterate", "--output", str(folder))
        # A mutant that never ends; other programs may run beside it.
        command += ["--baseline", "skip", "--timeout", str(max(60, int(5 * seconds)))]
        command += ["--test-package", about["tests"], *(f"--cargo-arg={built}" for built in about["builds"])]
        command += ["--", *about["runs"]]
        with open(folder / "log.txt", "w") as log:
            child = subprocess.Popen(command, env=environment(about), stdout=log, stderr=subprocess.STDOUT)
            try:
                status = child.wait(timeout=remaining)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                # It puts the source back.
                child.send_signal(signal.SIGINT)
                child.wait()
                results.collect(stage)
        # 0, 2, 3: all were caught, some survived, some took too long.
        if status not in (None, 0, 2, 3):
            raise Failed(f"{stage}: cargo mutants ends with {status}:\n{(folder / 'log.txt').read_text()[-3000:]}")


def base_of(commit):
    """The commit since which changes count, and in words which that is."""
    found = subprocess.run(
        ["git", "merge-base", "HEAD", commit], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    base, head = found.stdout.strip(), output_of("git", "rev-parse", "HEAD").strip()
    if base and (base != head or commit == "HEAD"):
        return base, f"since {commit} ({base[:10]})"
    why = f"nothing is committed since {commit}" if base else f"there is no {commit}"
    return "HEAD~1", f"of the last commit, because {why}"


def choose(options):
    """The mutants of this run."""
    arguments = ["--shard", options.shard] if options.shard else []
    if options.since:
        base, words = base_of(options.since)
        changes = WORK / "changes.diff"
        changes.write_text(output_of("git", "diff", base, "--", "*.rs"))
        print(f"mutants {words}")
        if not changes.read_text():
            return []
        arguments += ["--in-diff", str(changes)]
    begins = tuple(options.under or [""])
    return [mutant for mutant in list_mutants(*arguments) if mutant.file.startswith(begins)]


def report(chosen, results):
    """Prints the figures by area and in all; gives how many viable ones there are and how many of them are caught."""
    columns = ("mutants", "caught", "timeout", "missed", "unviable", "not finished")
    rows = {}
    for mutant in chosen:
        settled = results.settled(mutant) or "not finished"
        for area in (mutant.area(), "all"):
            row = rows.setdefault(area, dict.fromkeys(columns, 0))
            row["mutants"] += 1
            row[settled] += 1
    print(f"\n{'':<26}" + "".join(f"{column:>14}" for column in columns))
    for area in sorted(rows, key=lambda area: (area == "all", area)):
        print(f"{area:<26}" + "".join(f"{rows[area][column]:>14}" for column in columns))
    return rows.get("all", dict.fromkeys(columns, 0))


def judge(every, chosen, results):
    """Holds the survivors against the list; gives what is wrong."""
    blocks = listed()
    wrong = []
    survivors = [mutant for mutant in chosen if results.settled(mutant) == "missed"]
    excused = 0
    for mutant in survivors:
        if any(block.names(mutant) for block in blocks):
            excused += 1
        else:
            wrong.append("\n".join([f"survives and is not listed: {mutant.name}", *(f"    + {line}" for line in mutant.added)]))
    for block in blocks:
        named = [mutant for mutant in every if block.names(mutant)]
        if not named:
            wrong.append(f"listed, and there is no such mutant: {block.text}")
        elif all(results.settled(mutant) in ("caught", "timeout", "unviable") for mutant in named):
            wrong.append(f"listed, and it is caught: {block.text}")
    return wrong, excused


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shard", metavar="K/N")
    parser.add_argument("--since", metavar="COMMIT")
    parser.add_argument("--under", metavar="PATH", action="append")
    parser.add_argument("--minutes", type=float, default=150)
    parser.add_argument("--advise", action="store_true", help="print what is wrong, and do not fail for it")
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    # As if it were interrupted: cargo-mutants is ended, and what it has found is kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not PROGRAM.is_file():
        raise Failed("missing: cargo-mutants (tests/tools.sh mutants)")
    WORK.mkdir(parents=True, exist_ok=True)
    results = Results(copy_sources())
    for stage in STAGES:
        results.collect(stage)
    every = list_mutants()
    chosen = choose(options)
    try:
        for stage in STAGES:
            run_stage(stage, every, chosen, results, end)
    finally:
        counts = report(chosen, results)
    wrong, excused = judge(every, chosen, results)
    viable = counts["caught"] + counts["timeout"] + counts["missed"]
    killed = counts["caught"] + counts["timeout"]
    if viable:
        print(f"\n{killed} of {viable} are caught: {100 * killed / viable:.1f} %; of the others {excused} are listed")
    if counts["not finished"]:
        print(f"{counts['not finished']} are not finished: the time is over; the next run goes on from there")
    print("".join(f"\n{line}" for line in wrong))
    return 1 if wrong and not options.advise else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failed:
        print(f"mutants.py: {failed}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
