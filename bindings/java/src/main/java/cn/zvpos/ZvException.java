package cn.zvpos;

/**
 * The library did not start, or an answer cannot be had. Never a declined payment: that is an {@link Answer}.
 */
public final class ZvException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Answer answer;

    ZvException(String message, Answer answer) {
        super(message);
        this.answer = answer;
    }

    /** What the library said; null where it said nothing. */
    public Answer answer() {
        return answer;
    }
}
