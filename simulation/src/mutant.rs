//! Deliberately broken variants: a test that cannot fail is a defect. Each breaks one rule where a real driver, a
//! real journal or the real functions would; the oracle must catch every one of them.

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
    UnknownSentAgain "i1-unknown-sent-again" &["I1"],
        "a consume whose answer was lost is sent again under the same bizId";
    ReversalForgotten "i2-reversal-forgotten" &["I2"],
        "a reversal that was not answered is not tried again";
    OwnIntentLeft "i2-own-intent-left" &["I2"],
        "an intent whose outcome could not be recorded stays with its living owner until that ends";
    IdleNeverLooks "i2-idle-never-looks" &["I2"],
        "a process that has nothing unsettled itself never looks for what another one has left";
    BackOffByWallClock "i2-back-off-by-wall-clock" &["I2", "R"],
        "when a reversal is tried again is counted by the till's wall clock";
    LostAsDeclined "i3-lost-as-declined" &["I3"],
        "a lost answer is told as declined";
    LostAsNotSent "i3-lost-as-not-sent" &["I3"],
        "a connection that broke after the first byte counts as not sent";
    MissingIsDead "i3-missing-is-dead" &["I3"],
        "a process whose owner file is gone is taken for dead at once";
    UnprovenAsSucceeded "i3-unproven-as-succeeded" &["I3"],
        "an answer that proves nothing is told as succeeded";
    NamedAnswerBelieved "i3-named-answer-believed" &["I3"],
        "an answer that names another sale is taken for this one's";
    GuardBeforeStanding "i3-guard-before-standing" &["I3"],
        "another sale in doubt answers not_sent for a bizId that already stands for a success";
    ReverseToldInternal "i3-reverse-told-internal" &["I3"],
        "a reversal that was sent and could not be recorded is told as internal";
    OtherBizIdGuessed "i3-other-biz-id-guessed" &["I3", "I2", "I6"],
        "with G1 off: a reversal by the sent bizId is believed although answers are known to carry others";
    AbsenceBySentId "i3-absence-by-sent-id" &["I3"],
        "with G1 off: records that do not know the sent bizId are believed although answers are known to carry others";
    KeptUnchecked "i3-kept-unchecked" &["I3"],
        "a person may keep what a reversal on its way may still undo";
    OtherJournalNotSent "i3-other-journal-not-sent" &["I3"],
        "what another journal may have sent is told as not_sent";
    DeclinedIsFree "i1-declined-is-free" &["I1"],
        "a bizId that was refused takes another request";
    SentBeforeDurable "i4-sent-before-durable" &["I4"],
        "the request leaves before its intent is flushed";
    ToldBeforeDurable "i4-told-before-durable" &["I4"],
        "the till is told before the outcome is flushed";
    FailedFlushIgnored "i5-failed-flush-ignored" &["I5"],
        "a failed flush counts as done";
    FailureForgotten "i5-failure-forgotten" &["I5"],
        "after a failed flush the next record is tried as if nothing had happened";
    NotFoundAtOnce "i6-not-found-at-once" &["I6"],
        "not_found counts as reversed inside the late-arrival window";
    PromiseBelieved "i6-promise-believed" &["I6"],
        "a reversal that was answered inside the late-arrival window counts as final";
    WindowByWallClock "i6-window-by-wall-clock" &["I6"],
        "the late-arrival window is over when the till's wall clock says so";
    RefundKeptUnanswered "i3-refund-kept-unanswered" &["I3"],
        "a refund that is refused leaves the sale standing though an earlier try was not answered";
    NeverToldKept "i3-never-told-kept" &["I3"],
        "what never stood as succeeded returns to it when its reversal is refused";
    PromiseBelievedLater "i6-promise-believed-later" &["I3", "I6"],
        "a reversal that was confirmed once and then refused with an unlisted code counts as done";
    AnyCodeExplained "i3-any-code-explained" &["I3"],
        "whatever code a reversal was refused with counts as already reversed at the next start";
    ReopenForgotten "i6-reopen-forgotten" &["I6", "I3", "I2"],
        "an attempt that ends without proof after it was taken for dead changes nothing";
    ReopenedInOldWindow "i6-reopened-in-old-window" &["I6", "I3"],
        "what is re-opened goes on in the window of before";
    RefundHoldsBack "r-refund-holds-back" &["R"],
        "a refund that is not settled holds back the member's next payment";
    ConfirmedHoldsBack "r-confirmed-holds-back" &["R"],
        "a reversal that was confirmed and then refused holds back the member's next payment";
    RefundSpeaksOfPayment "r-refund-speaks-of-payment" &["R"],
        "a refund is told in the words of a payment";
    ConfirmedFlips "r-confirmed-flips" &["R"],
        "what was told other_tender is told wait when its confirmed reversal is refused";
    VoidForgotten "r-void-forgotten" &["R"],
        "what was declined or not sent stays free after its void";
    PromiseByCode "r-promise-by-code" &["R"],
        "only the code 0 counts as a confirmation, so one by an already code is asked for again and again";
    HastyPerson "limit-hasty-person" &[],
        "a person keeps or undoes what stands as refused while an earlier request is still on its way";
    CopyAfterRefusal "limit-copy-after-refusal" &[],
        "a copy of a request acts though the first was refused or did nothing (G3 read more widely)";
    DuplicateUnlisted "limit-duplicate-unlisted" &[],
        "a gateway refuses a copy as duplicate, and that code does not stand under codes.in_doubt";
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

    fn is_limit(self) -> bool {
        self.caught_by().is_empty()
    }

    /// The variant of that name.
    pub fn named(name: &str) -> Option<Mutant> {
        Mutant::EVERY.iter().copied().find(|mutant| mutant.name() == name)
    }
}
