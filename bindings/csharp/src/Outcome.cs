namespace Zvpos
{
    /// <summary>What happened to the member's money. A sale is complete if and only if it is <see cref="Succeeded"/>;
    /// for everything else <see cref="Answer.Next"/> says what to do.</summary>
    public enum Outcome
    {
        /// <summary>The gateway did it, and the journal knows.</summary>
        Succeeded = 0,
        /// <summary>The gateway said no; nothing was taken.</summary>
        Declined = 1,
        /// <summary>Refused before sending; this call took nothing: fix the program.</summary>
        Invalid = 2,
        /// <summary>No byte reached the gateway; nothing was taken: the same bizId may be tried again.</summary>
        NotSent = 3,
        /// <summary>It may have happened; never charge again under a new bizId.</summary>
        Unknown = 4,
        /// <summary>A defect of the library or the machine; this call sent nothing: stop.</summary>
        Internal = 5,
        /// <summary>It was done and is undone, or can no longer happen.</summary>
        Reversed = 6,
        /// <summary>The bizId already belongs to another request: look it up.</summary>
        Conflict = 7,
        /// <summary>A call that was started has not ended.</summary>
        Running = 8
    }
}
