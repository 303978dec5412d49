package cn.zvpos;

/**
 * What happened to the member's money. A sale is complete if and only if it is {@link #SUCCEEDED}; for everything else
 * {@link Answer#next()} says what to do.
 */
public enum Outcome {
    /** The gateway did it, and the journal knows. */
    SUCCEEDED,
    /** The gateway said no; nothing was taken. */
    DECLINED,
    /** Refused before sending; this call took nothing: fix the program. */
    INVALID,
    /** No byte reached the gateway; nothing was taken: the same bizId may be tried again. */
    NOT_SENT,
    /** It may have happened; never charge again under a new bizId. */
    UNKNOWN,
    /** A defect of the library or the machine; this call sent nothing: stop. */
    INTERNAL,
    /** It was done and is undone, or can no longer happen. */
    REVERSED,
    /** The bizId already belongs to another request: look it up. */
    CONFLICT,
    /** A call that was started has not ended. */
    RUNNING;

    /** The library's numbers are the positions above. One of a later version is nothing that completes a sale. */
    static Outcome of(int number) {
        Outcome[] known = values();
        return number >= 0 && number < known.length ? known[number] : UNKNOWN;
    }
}
