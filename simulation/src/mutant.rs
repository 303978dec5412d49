//! Broken variants of what is simulated here, the journal's file and the world around the library; the oracle must catch
//! every one of them. Defects of the library's own code stand in `mutants.txt`.

macro_rules! mutants {
    ($($mutant:ident $name:literal $catches:expr, $doc:literal;)+) => {
        /// A broken variant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $(#[doc = $doc] $mutant,)+
        }

        impl Mutant {
            const EVERY: &[Mutant] = &[$(Mutant::$mutant,)+];

            /// Its name for `--mutant`.
            pub fn name(self) -> &'static str {
                match self { $(Mutant::$mutant => $name,)+ }
            }

            /// What is broken.
            pub fn doc(self) -> &'static str {
                match self { $(Mutant::$mutant => $doc,)+ }
            }

            /// The invariants that may catch it first.
            pub fn caught_by(self) -> &'static [&'static str] {
                match self { $(Mutant::$mutant => $catches,)+ }
            }
        }
    };
}

mutants! {
    SentBeforeDurable "i4-sent-before-durable" &["I4"],
        "the request leaves before its intent is flushed";
    ToldBeforeDurable "i4-told-before-durable" &["I4"],
        "the till is told before the outcome is flushed";
    FailedFlushIgnored "i5-failed-flush-ignored" &["I5"],
        "a failed flush counts as done";
    FailureForgotten "i5-failure-forgotten" &["I5"],
        "after a failed flush the next record is tried as if nothing had happened";
    HastyPerson "limit-hasty-person" &[],
        "a person keeps or undoes what stands as refused while an earlier request is still on its way";
    CopyAfterRefusal "limit-copy-after-refusal" &[],
        "a copy of a request acts though the first was refused or did nothing (G3 read more widely)";
    DuplicateUnlisted "limit-duplicate-unlisted" &[],
        "a gateway refuses a copy as duplicate, and that code does not stand under codes.in_doubt";
    LostCommit "n-limit-lost-commit" &[],
        "a failover loses what the database had acknowledged (D1 off)";
    LateSender "n-limit-late-sender" &[],
        "a node that slept beyond its lease and the late window sends after all, and dies before it records that (G6 off)";
}

impl Mutant {
    /// Every broken variant, in order of the invariants.
    pub fn broken() -> impl Iterator<Item = Mutant> {
        Mutant::EVERY.iter().copied().filter(|mutant| !mutant.is_limit())
    }

    /// Worlds in which nothing is broken and more is asked of the library than it promises. What breaks there is a
    /// limit that the documentation must name.
    pub fn limits() -> impl Iterator<Item = Mutant> {
        Mutant::EVERY.iter().copied().filter(|mutant| mutant.is_limit())
    }

    /// Whether it is about several nodes on one database.
    pub fn is_of_nodes(self) -> bool {
        self.name().starts_with("n-")
    }

    fn is_limit(self) -> bool {
        self.caught_by().is_empty()
    }

    /// The variant of that name.
    pub fn named(name: &str) -> Option<Mutant> {
        Mutant::EVERY.iter().copied().find(|mutant| mutant.name() == name)
    }
}
