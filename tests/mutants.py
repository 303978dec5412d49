"""mutants.py [--shard K/N] [--since COMMIT] [--under PATH] [--minutes M]: mutation testing of what decides about money.

cargo-mutants lists the mutants of the files in `.cargo/mutants.toml`: each changes one operator, condition or returned
value. The unit tests of the changed package must fail, or else the tests that call the built library as a till does, or
else a thousand seeds of the simulation. What passes all of them is a survivor: a new test catches it, or
tests/survivors.txt lists it with the reason why it changes nothing.

--shard K/N    one of N parts of the list, K from 0 to N - 1
--since COMMIT only what the changes since that commit touch
--under PATH   only the files whose path begins so; may be repeated
--minutes M    ends after so many minutes (150) and says what is left; the next run goes on from there

One build holds all mutants: each function that has some begins with a switch that leads to copies of its body, one for
each mutant, and the environment of the test program says which copy runs. Copies that do not compile are taken out
first. A mutant meets only those tests that call its function; which those are is seen before, test by test. What no
switch can hold, a constant and a function that returns `impl Trait`, is built alone.

The order is random, so that what a short run leaves out is not always the same. It works on a copy of the sources in
target/mutants/tree, and keeps the results in target/mutants/results.json. A result stays valid as long as the lines
around the change are the same; a survivor is tried again after any change of the sources.
Exit 1: a survivor that is not listed, or a line in the list that is wrong. Exit 2: something is missing or does not run.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target/mutants"
TREE = WORK / "tree"
RESULTS = WORK / "results.json"
LISTED = ROOT / "tests/survivors.txt"
PROGRAM = ROOT / "target/tools/cargo-mutants/bin/cargo-mutants"
SEEDS = "1000"
# A test that takes longer, alone and without a mutant, meets none; and of the others, the quickest first, each mutant
# meets those that take this long in all.
SLOW_S = 30
ALL_S = 90

# Tests of the root package that call the built library.
TILLS = "beliefs call_actions clock consume deadline disk_full elsewhere evidence gateway_answers journal journal_behind"
TILLS += " late order owner_files proxy quote refund restart settled upgrade"
# Which tests a mutant meets, one stage after the other, until one catches it: the packages whose code is changed, the
# package that is tested and its folder, what of it is built and run, and how far it is optimised: compiling takes
# longest, except where seeds run.
STAGES = {
    "core": {
        "changes": ["zvpos-core"],
        "tests": "zvpos-core",
        "folder": "core",
        "builds": ["--lib"],
        "at once": 2,
        "optimised": "0",
    },
    "boundary": {"changes": ["zvpos"], "tests": "zvpos", "folder": ".", "builds": ["--lib"], "optimised": "0"},
    "tills": {
        "changes": ["zvpos-core", "zvpos"],
        "tests": "zvpos",
        "folder": ".",
        "builds": [f"--test={name}" for name in TILLS.split()],
        # They wait more than they work.
        "at once": 4,
        "optimised": "0",
    },
    "simulation": {
        "changes": ["zvpos-core"],
        "tests": "zvpos-simulation",
        "folder": "simulation",
        "builds": ["--test=invariants"],
        "only": "no_seed_breaks_an_invariant",
        "optimised": "1",
    },
}
# Where a package has the switch, and the file that names its modules.
ROOTS = {"zvpos-core": "core/src/lib.rs", "zvpos": "src/lib.rs"}
SWITCH = """//! Which copy of a function runs: written by tests/mutants.py.
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, OnceLock};

static CHOSEN: OnceLock<u32> = OnceLock::new();
static REACHED: OnceLock<Option<Mutex<BTreeSet<u32>>>> = OnceLock::new();

/// The mutant that runs. `first` names the function that asks; where it is asked for, each is written down once.
pub fn chosen(first: u32) -> u32 {
    let reached = REACHED.get_or_init(|| std::env::var_os("MUTANTS_REACHED").map(|_| Mutex::default()));
    if let Some(reached) = reached {
        let is_new = reached.lock().is_ok_and(|mut reached| reached.insert(first));
        let path = std::env::var_os("MUTANTS_REACHED").unwrap_or_default();
        if is_new && let Ok(mut file) = std::fs::OpenOptions::new().append(true).open(path) {
            let _ = file.write_all(format!("{first}\\n").as_bytes());
        }
    }
    *CHOSEN.get_or_init(|| std::env::var("MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0))
}
"""
# Of the C boundary, whose tests allow it no memory: nothing is written down, as if every test called each function.
SWITCH_WITHOUT_MEMORY = """//! Which copy of a function runs: written by tests/mutants.py.
use std::ffi::CStr;
use std::sync::OnceLock;

static CHOSEN: OnceLock<u32> = OnceLock::new();

/// The mutant that runs.
pub fn chosen(_first: u32) -> u32 {
    *CHOSEN.get_or_init(|| {
        let text = unsafe { libc::getenv(c"MUTANT".as_ptr()) };
        let text = if text.is_null() { c"0" } else { unsafe { CStr::from_ptr(text) } };
        text.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    })
}
"""


class Failed(Exception):
    """What is missing or does not run."""


class TimeIsOver(Exception):
    """The minutes of this run have passed."""


class Mutant:
    """One change of one expression, as `cargo mutants --list --json` describes it."""

    def __init__(self, described):
        self.name = described["name"]
        self.package = described["package"]
        self.file = described["file"]
        self.span = described["span"]
        self.function = described["function"]
        self.replacement = described["replacement"]
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

    def is_alone(self):
        """Whether no copy of a function can hold it."""
        return self.function is None or "impl " in self.function["return_type"]


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


def list_mutants(*arguments):
    command = [str(PROGRAM), "mutants", "--dir", str(ROOT), "--workspace", "--colors", "never", "--list", "--json"]
    done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed(f"cargo mutants --list: {done.stderr.strip()}")
    # Where a diff touches no source there is no list, not even an empty one.
    return [Mutant(described) for described in json.loads(done.stdout or "[]")]


def sources():
    """The project's files by name, and a hash of those that the tests are built of."""
    files = {}
    everything = hashlib.sha256()
    for name in output_of("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            files[name] = (ROOT / name).read_bytes()
            parts = ("Cargo.lock", "Cargo.toml", "core", "include", "sandbox", "simulation", "src", "tests")
            if name.split("/")[0] in parts and not name.endswith((".md", ".py", ".sh", ".txt")):
                everything.update(name.encode() + b"\0" + files[name])
    return files, everything.hexdigest()[:24]


class Text:
    """A source, and where its lines begin."""

    def __init__(self, text):
        self.text = text
        self.begins = [0]
        for line in text.splitlines(keepends=True):
            self.begins.append(self.begins[-1] + len(line))

    def at(self, place):
        return self.begins[place["line"] - 1] + place["column"] - 1

    def changed(self, mutant, begin=0, end=None):
        """The text from `begin` to `end` with a mutant in it."""
        start, stop = self.at(mutant.span["start"]), self.at(mutant.span["end"])
        return self.text[begin:start] + mutant.replacement + self.text[stop:end]

    def body(self, function):
        """Where the body of a function begins and ends, inside its braces."""
        start, end = self.at(function["span"]["start"]), self.at(function["span"]["end"])
        # Braces in comments and attributes before the signature are none of it.
        signature = re.compile(r"^\s*(pub(\([a-z ]+\))? )?(const )?(extern \"C\" )?fn ", re.MULTILINE)
        begin = signature.search(self.text[:end], start)
        return self.text.index("{", begin.start() if begin else start) + 1, end - 1


def with_switches(text, mutants):
    """A source whose functions can do what each of these mutants does; gives it, and which lines are whose."""
    text = Text(text)
    functions = {}
    for number, mutant in mutants:
        functions.setdefault(text.body(mutant.function), []).append((number, mutant))
    out, owners, at = "", {}, 0
    for (begin, end), inside in sorted(functions.items(), key=lambda item: item[0]):
        out += text.text[at:begin] + f"match crate::mutated::chosen({inside[0][0]}) {{\n"
        for number, mutant in inside:
            first = out.count("\n") + 1
            out += f"{number} => return {{\n{text.changed(mutant, begin, end)}\n}},\n"
            owners.update(dict.fromkeys(range(first, out.count("\n") + 1), number))
        out += "_ => {}\n}\n"
        at = begin
    return out + text.text[at:], owners


class Tree:
    """The copy of the sources that is built."""

    def __init__(self, files, every):
        self.files = files
        self.numbers = {number: mutant for number, mutant in enumerate(every, 1)}
        self.left_out = set()

    def plan(self, alone=None):
        """What every file of the copy holds, and which lines of it belong to which mutant."""
        plan, owners = dict(self.files), {}
        for package, root in ROOTS.items():
            plan[root] += b"\npub mod mutated;\n"
            switch = SWITCH if package == "zvpos-core" else SWITCH_WITHOUT_MEMORY
            plan[root.replace("lib.rs", "mutated.rs")] = switch.encode()
        names = {mutant.file for mutant in self.numbers.values()}
        for name in names:
            text = self.files[name].decode()
            if alone and alone.file == name:
                plan[name] = Text(text).changed(alone).encode()
                continue
            inside = [(number, mutant) for number, mutant in self.numbers.items() if mutant.file == name]
            inside = [each for each in inside if not each[1].is_alone() and each[0] not in self.left_out]
            text, owners[name] = with_switches(text, inside)
            plan[name] = text.encode()
        return plan, owners

    def write(self, plan):
        """What is the same keeps its date, so that only what changed is built again."""
        for name, content in plan.items():
            copy = TREE / name
            if not (copy.is_file() and copy.read_bytes() == content):
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(content)
                copy.chmod((ROOT / name).stat().st_mode & 0o777 if (ROOT / name).is_file() else 0o644)
        for folder in ("core", "sandbox", "simulation", "src"):
            for copy in (TREE / folder).rglob("*.rs"):
                if str(copy.relative_to(TREE)) not in plan:
                    copy.unlink()


class Results:
    """What came of each mutant, by its key: {stage: caught, missed, timeout or unviable}, by which test and of which
    sources."""

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

    def add(self, mutant, stage, result, by=""):
        found = {"name": mutant.name, "result": result, "by": by, "sources": self.sources}
        self.known.setdefault(mutant.key, {})[stage] = found

    def save(self):
        beside = RESULTS.with_suffix(".new")
        beside.write_text(json.dumps(self.known, indent=0, sort_keys=True))
        beside.replace(RESULTS)

    def settled(self, mutant):
        """caught, timeout, unviable, missed by all of its stages, or None for one that is not finished."""
        found = [self.of(mutant, stage) for stage, about in STAGES.items() if mutant.package in about["changes"]]
        ended = [result for result in found if result not in (None, "missed")]
        return ended[0] if ended else None if None in found else "missed"


class Program:
    """The test program of a stage, and which of its tests call which function."""

    def __init__(self, stage, end):
        self.about = STAGES[stage]
        self.stage = stage
        self.end = end
        self.paths = {}

    def environment(self, optimised=None, **more):
        """Builds go to the copy's own folder, whatever is set for others."""
        variables = dict(os.environ, SEEDS=SEEDS, **more)
        variables["CARGO_PROFILE_MUTANTS_OPT_LEVEL"] = optimised or self.about["optimised"]
        variables["ZVPOS_LIB_DIR"] = str(TREE / "target/mutants")
        variables.pop("CARGO_TARGET_DIR", None)
        return variables

    def cargo(self, *arguments, optimised=None):
        """Runs cargo; gives its messages, and whether it succeeded."""
        command = [*os.environ.get("CARGO", "cargo").split(), *arguments, "--profile=mutants", "--message-format=json"]
        command += ["--package", self.about["tests"]]
        remaining = self.end - time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=TREE,
                env=self.environment(optimised),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                timeout=max(0, remaining),
            )
        except subprocess.TimeoutExpired:
            raise TimeIsOver from None
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done

    def build(self):
        """Builds it, and the library that it may load; gives what the compiler says is wrong."""
        messages, done = self.cargo("test", "--no-run", *self.about["builds"])
        if done.returncode == 0 and self.stage == "tills":
            # The tills of the tests have a small stack, and without optimisation each copy of a body has its own part.
            more, done = self.cargo("build", "--lib", optimised="1")
            messages += more
        wrong = [one["message"] for one in messages if one["reason"] == "compiler-message"]
        wrong = [one for one in wrong if one["level"].startswith("error")]
        if done.returncode != 0 and not wrong:
            raise Failed(f"{self.stage}: {done.stderr[-3000:]}")
        self.paths = {one["target"]["name"]: one["executable"] for one in messages if one.get("executable")}
        return wrong

    def run_all(self, tests, seconds, **variables):
        """Runs tests, each named by its program and itself, as `run` does; the order is that of their programs."""
        for program in dict.fromkeys(name.split()[0] for name in tests):
            names = [name.split()[1] for name in tests if name.split()[0] == program]
            failed = self.run(program, names, seconds, **variables)
            # On a busy machine a test may miss its time once.
            if failed in names and not self.run(program, [failed], seconds, **variables):
                names = names[names.index(failed) + 1 :]
                failed = names and self.run(program, names, seconds, **variables)
            if failed:
                return failed
        return None

    def run(self, program, names, seconds, **variables):
        """Runs tests of a program until one fails: which, "timeout", or None where all pass."""
        child = subprocess.Popen(
            [self.paths[program], "--exact", *names],
            cwd=TREE / self.about["folder"],
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        late = threading.Event()

        def end():
            late.set()
            os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            for line in child.stdout:
                found = re.match(r"test (.*) \.\.\. FAILED", line)
                if found:
                    return found[1]
            status = child.wait()
            if late.is_set():
                return "timeout"
            return None if status == 0 else f"it ends with {status}"
        finally:
            timer.cancel()
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
            child.stdout.close()

    def tests(self, sources):
        """Every test, how many seconds it takes, and the functions that it calls. One that fails alone and without a
        mutant, as on a machine that is too busy for it, meets none."""
        kept = WORK / f"reached-{self.stage}.json"
        if kept.is_file():
            known = json.loads(kept.read_text())
            if known.get("sources") == sources:
                return known["tests"]

        def watched(name):
            if time.monotonic() > self.end:
                raise TimeIsOver
            with tempfile.NamedTemporaryFile("r") as reached:
                started = time.monotonic()
                if self.run_all([name], 300, MUTANTS_REACHED=reached.name):
                    print(f"{self.stage}: fails without a mutant and is left out: {name}", flush=True)
                    return name, None
                seconds = time.monotonic() - started
                return name, {"seconds": seconds, "reached": sorted(set(map(int, reached.read().split())))}

        found = {name: test for name, test in self.at_once(watched, self.names()) if test}
        if not found:
            raise Failed(f"{self.stage}: no test passes without a mutant")
        kept.write_text(json.dumps({"sources": sources, "tests": found}, indent=0))
        return found

    def at_once(self, work, items):
        """Does the work for each item, as many at once as this stage allows; gives the results as they come."""
        with concurrent.futures.ThreadPoolExecutor(self.about.get("at once", 1)) as workers:
            running = [workers.submit(work, item) for item in items]
            try:
                for done in concurrent.futures.as_completed(running):
                    yield done.result()
            finally:
                workers.shutdown(wait=False, cancel_futures=True)

    def names(self):
        """Every test: its program and its own name."""
        found = []
        for program, path in self.paths.items():
            listed = subprocess.run([path, "--list", "--format", "terse"], stdout=subprocess.PIPE, text=True).stdout
            names = [line.removesuffix(": test") for line in listed.splitlines() if line.endswith(": test")]
            found += [f"{program} {name}" for name in names if name == self.about.get("only", name)]
        return found


def compile_all(tree, program, results):
    """Builds the program with every mutant that compiles; the others are left out and known from then on."""
    while True:
        plan, owners = tree.plan()
        tree.write(plan)
        wrong = program.build()
        if not wrong:
            return
        numbers = set()
        for error in wrong:
            spans = [span for span in error["spans"] if span["is_primary"]] or error["spans"]
            spans += [span for child in error["children"] for span in child["spans"]]
            mine = [owners.get(span["file_name"], {}).get(span["line_start"]) for span in spans]
            mine = [number for number in mine if number]
            if not mine and error["spans"]:
                raise Failed(f"an error outside of every mutant: {error['rendered']}")
            numbers.update(mine[:1])
        if not numbers:
            raise Failed(f"{program.stage}: {wrong[0]['rendered']}")
        for number in numbers:
            mutant = tree.numbers[number]
            tree.left_out.add(number)
            for stage, about in STAGES.items():
                if mutant.package in about["changes"]:
                    results.add(mutant, stage, "unviable")
        print(f"{program.stage}: {len(numbers)} mutants do not compile", flush=True)
        results.save()


def run_stage(stage, alone, tree, chosen, results, end):
    """Runs the mutants that this stage has no result of, those that are built alone or all others."""
    about = STAGES[stage]

    def is_pending(mutant):
        return mutant.is_alone() == alone and mutant.package in about["changes"] and results.settled(mutant) is None and not results.of(mutant, stage)

    pending = [mutant for mutant in chosen if is_pending(mutant)]
    if not pending:
        return
    program = Program(stage, end)
    compile_all(tree, program, results)
    tests = program.tests(f"{results.sources} {sorted(tree.left_out)}")
    numbers = {mutant.key: number for number, mutant in tree.numbers.items()}
    firsts = {}
    for number, mutant in tree.numbers.items():
        if mutant.function and number not in tree.left_out:
            place = mutant.function["span"]["start"]
            firsts.setdefault((mutant.file, place["line"], place["column"]), number)
    pending = [mutant for mutant in pending if is_pending(mutant)]
    random.shuffle(pending)
    # Those that no run has tried come before the survivors of an earlier state.
    pending.sort(key=results.was_missed)
    print(f"{stage}: {len(pending)} mutants{' built alone' if alone else ''}", flush=True)
    quick = [name for name, test in tests.items() if test["seconds"] < SLOW_S or "only" in about]
    quick.sort(key=lambda name: tests[name]["seconds"])

    def within(names):
        """The first of these that take no longer than they may in all."""
        seconds = 0
        for name in names:
            seconds += tests[name]["seconds"]
            if seconds < ALL_S:
                yield name

    def try_one(mutant):
        """Which test catches it."""
        if time.monotonic() > end:
            return mutant, None
        if mutant.is_alone() or mutant.package == "zvpos":
            names = list(within(quick))
        else:
            place = mutant.function["span"]["start"]
            first = firsts[mutant.file, place["line"], place["column"]]
            names = list(within(name for name in quick if first in tests[name]["reached"]))
        seconds = sum(tests[name]["seconds"] for name in names)
        return mutant, program.run_all(names, max(30, 5 * seconds), MUTANT=str(numbers[mutant.key])) or ""

    def keep(mutant, failed):
        if failed is None:
            raise TimeIsOver
        result = "timeout" if failed == "timeout" else "caught" if failed else "missed"
        results.add(mutant, stage, result, failed)
        results.save()

    if alone:
        for mutant in pending:
            plan, _ = tree.plan(mutant)
            tree.write(plan)
            if program.build():
                results.add(mutant, stage, "unviable")
            else:
                keep(*try_one(mutant))
        return
    for mutant, failed in program.at_once(try_one, pending):
        keep(mutant, failed)


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
    """Compares the survivors with the list; gives what is wrong."""
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not PROGRAM.is_file():
        raise Failed("missing: cargo-mutants (tests/tools.sh mutants)")
    WORK.mkdir(parents=True, exist_ok=True)
    files, everything = sources()
    results = Results(everything)
    every = list_mutants()
    chosen = choose(options)
    tree = Tree(files, every)
    tree.left_out = {number for number, mutant in tree.numbers.items() if results.settled(mutant) == "unviable"}
    try:
        for alone in (False, True):
            for stage in STAGES:
                run_stage(stage, alone, tree, chosen, results, end)
    except TimeIsOver:
        pass
    finally:
        results.save()
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
