# make demo: the main job end to end.  make test: everything that decides.  See CONTRIBUTING.md.
CARGO ?= cargo
LIBRARY = target/release/libzvpos.so

SEEDS ?= 10000
KILLS ?= 10000
LOAD_S ?= 60
LOAD_RATE ?= 2000
HOURS ?= 1
TILLS ?= 1000
ENTRIES ?= 1000
TARGETS ?=
# Of these the archives are built twice, and by every change the libraries.
REPRODUCED ?= x86_64-unknown-linux-gnu i686-win7-windows-gnu

.PHONY: all demo test lint docs sim sim-mutants mutants model crash nodes fuzz soak screenshots load collect bench bench-parts bench-postgres tsan tools build-tools target-tools targets dist dist-test reproducible reproducible-library ci-full abi-baseline deny fresh \
	needed demo-needed clean

all: library zv

.PHONY: library zv
library: needed
	$(CARGO) build --release -p zvpos

# The library for servers, whose journal may be a database; the one for tills stays as it is.
.PHONY: server
server: needed
	$(CARGO) build --profile server -p zvpos --features postgres

# The command line and the simulator.
zv: needed
	$(CARGO) build --release -p zvpos-cli

# Says in one line what the build cannot do without.
needed:
	@CARGO='$(CARGO)' tests/tools.sh build

demo-needed:
	@CARGO='$(CARGO)' tests/tools.sh demo

demo: demo-needed library zv
	@examples/demo.sh

# Every test program runs, and the simulation and the model after them; what failed makes it fail at the end.
test: tools library server
	@failed=; \
	set -x; \
	$(CARGO) test --workspace --no-fail-fast || failed="the tests"; \
	$(SIMULATE) || failed="$$failed the simulation"; \
	$(SEARCH) --model small || failed="$$failed the model"; \
	{ set +x; } 2>/dev/null; \
	[ -z "$$failed" ] || { echo "FAILED: $$failed" >&2; exit 1; }

# The deterministic simulation: SEEDS=1000000 for the long run. A failing seed is printed and replays exactly.
SIMULATE = $(CARGO) run --release -q -p zvpos-simulation -- --seeds $(SEEDS)
sim:
	$(SIMULATE)

# The exhaustive check: every order of a few calls, crashes and losses over the library's own machines; the number of
# states is printed. BOUNDS=large takes more (some minutes, less than 2 GB); a search stops at STATES states.
BOUNDS ?= small
STATES ?= 100000000
SEARCH = $(CARGO) run --release -q -p zvpos-simulation -- --states $(STATES)
model:
	$(SEARCH) --model $(BOUNDS)

# Defects in the library's own code, each of which the simulation must catch: simulation/mutants.txt.
sim-mutants:
	$(CARGO) test -p zvpos-simulation --test mutants -- --nocapture

# Mutation testing by cargo-mutants of what decides about money (.cargo/mutants.toml): every mutant is caught by a test, or
# tests/survivors.txt says why it changes nothing. One build holds all of them. A run ends after MINUTES and the next goes
# on from there; SHARD=0/8 takes an eighth of them, SINCE=origin/main what was changed since then.
MINUTES ?= 150
mutants:
	tests/tools.sh mutants
	python3 tests/mutants.py --minutes $(MINUTES) $(if $(SHARD),--shard $(SHARD)) $(if $(SINCE),--since $(SINCE)) $(if $(ADVISE),--advise)

# Tills killed at random moments, restarted, and compared with the ledger.
crash: library
	ZVPOS_KILLS=$(KILLS) $(CARGO) test -p zvpos --test crash -- --nocapture

# Nodes that share a journal in a database, killed, stopped and cut off at random moments, and compared with the ledger.
# ZVPOS_POSTGRES=18 takes that version here and in every other test (CONTRIBUTING.md).
nodes: KILLS = 200
nodes: server
	ZVPOS_KILLS=$(KILLS) $(CARGO) test -p zvpos --test nodes -- --nocapture

lint:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --target-dir target -- -D warnings
	tests/style.sh

# Writes what is generated from the tables: docs/error-codes.md, docs/configuration.md, docs/requests.md, docs/faults.md,
# the options in docs/zv.md and the JSON Schemas. The header is written by every build.
docs:
	$(CARGO) run -q -p zvpos-docgen

# Inputs that nobody has thought of, so many hours for each target of fuzz/, two at a time; .ci/run takes a minute for each.
fuzz:
	fuzz/run.sh $$(awk 'BEGIN { print int($(HOURS) * 3600) }')

# A million quotes in one process: memory and descriptors must not grow.
soak: library
	ZVPOS_SOAK=1000000 $(CARGO) test -p zvpos --test soak -- --nocapture

# The simulator under load: so many signed requests a second, quotes and consumes, for so many seconds.
load:
	ZVPOS_LOAD_S=$(LOAD_S) ZVPOS_LOAD_RATE=$(LOAD_RATE) $(CARGO) test --release -p zvpos-sandbox --test load -- --nocapture

# So many tills with so many entries each ship to one collector, over a network that loses requests and answers, while the
# collector is killed and started again; both sides have the same at the end.
collect:
	ZVPOS_COLLECT_TILLS=$(TILLS) ZVPOS_COLLECT_ENTRIES=$(ENTRIES) $(CARGO) test --release -p zvpos-collect --test thousand -- --nocapture

# The pictures of the inspector in docs/, taken by its test in a real browser.
screenshots: tools library
	ZVPOS_SCREENSHOTS=1 $(CARGO) test -p zvpos --test inspector pictures

# The library beside what one would write instead, in one run; writes benches/results and what the pages show of it.
# QUICK=1 makes a tenth of it and writes nothing. What cannot be installed is named as missing.
bench: library
	-@tests/tools.sh bench
	$(CARGO) run --release -q -p zvpos-benches -- $(if $(QUICK),--quick)

# The parts of a call, each alone.
bench-parts: library
	$(CARGO) bench -p zvpos-benches --bench parts

# The journal of several nodes beside pgbench with the same statements, on a PostgreSQL of its own. ROWS=10000000 fills the
# large journal with so many settled sales; QUICK=1 takes a fifth of the turns.
ROWS ?= 100000
bench-postgres: tools
	$(CARGO) bench -q -p zvpos-journal-postgres --bench nodes -- --rows $(ROWS) $(if $(QUICK),--quick)

tsan: tools
	tests/tsan.sh

# Every target that is shipped: built, and the C programs run on it (docs/platforms.md). TARGETS="one two" picks some.
targets: target-tools
	packaging/build.sh --library $(TARGETS)
	ZVPOS_TARGETS="$(TARGETS)" $(CARGO) test -p zvpos --test targets --test abi_watch -- --ignored --nocapture --test-threads 1

# One archive a target in dist/, and the sizes in docs/platforms.md.
dist: target-tools
	packaging/build.sh $(TARGETS)
	python3 packaging/sizes.py
	packaging/pack.sh $(TARGETS)

# Each unpacked elsewhere and linked in every way there is; the bindings in that of this machine.
dist-test: target-tools
	packaging/test.sh $(TARGETS)
	$(CARGO) test -p zvpos --test archive -- --ignored

# Built a second time in another folder: the same bytes.
reproducible: target-tools
	packaging/reproducible.sh $(REPRODUCED)

reproducible-library: build-tools
	packaging/reproducible.sh --library $(REPRODUCED)

# `make demo` and `make test` in a bare Debian that this machine makes (as root): what .ci/run does of them.
fresh:
	.ci/run fresh

# The targets and the archives too: some hours on a small machine.
ci-full:
	.ci/run
	$(MAKE) targets
	$(MAKE) dist dist-test
	$(MAKE) reproducible REPRODUCED=

# After something was added to the interface: what tests/abi_watch.rs compares the next versions with.
abi-baseline:
	$(CARGO) test -p zvpos --test abi_watch an_addition
	ZVPOS_WRITE_BASELINE=1 $(CARGO) test -p zvpos --test abi_watch -- --test-threads 1

# Compilers for them, and what runs them.
build-tools:
	packaging/tools.sh --build

target-tools: tools
	packaging/tools.sh

deny:
	cargo-deny --all-features check bans licenses sources
	cargo-deny --all-features --manifest-path fuzz/Cargo.toml check bans licenses sources

# Says in one line what is missing, or installs it where that is possible without asking.
tools:
	@tests/tools.sh

clean:
	$(CARGO) clean
