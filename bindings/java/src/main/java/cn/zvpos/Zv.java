package cn.zvpos;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * The started library. A process has one: start it once and close it when the program ends. A second start with
 * the same configuration uses the first. Every method may be called from any thread.
 *
 * <p>A request is JSON text, or a map ({@link Json#of}) with the vendor's field names. Money is text or BigDecimal; ids
 * are text.
 *
 * <p>No method throws because a payment did not succeed: check {@link Answer#outcome()}.
 */
public final class Zv implements AutoCloseable {
    private static final String NOTHING = "{}";

    static final Tickets TICKETS = new Tickets();

    private final Answer started;

    private Zv(Answer started) {
        this.started = started;
    }

    /**
     * Starts the library with this configuration. Leave charset out.
     *
     * @throws ZvException the configuration is wrong, or the library older than this class
     */
    public static Zv start(String config) {
        Native.checkVersion();
        Answer answer = Native.out(Native.ZV.zv_init(Native.in(config)));
        if (!answer.succeeded()) {
            throw new ZvException(answer.code() + ": " + answer.message(), answer);
        }
        return new Zv(answer);
    }

    /** As {@link #start(String)}. */
    public static Zv start(Map<String, ?> config) {
        return start(Json.write(config));
    }

    /** The answer to the start: warnings, data.journal, and in data.unacknowledged what must be looked up. */
    public Answer started() {
        return started;
    }

    /** The library's version, such as 0.1.0. */
    public static String version() {
        return Native.version();
    }

    /** Quotes a coupon for a basket. Charges nothing. */
    public Answer couponQuote(String request) {
        return Native.out(Native.ZV.zv_coupon_quote_json(Native.in(request)));
    }

    /** As {@link #couponQuote(String)}. */
    public Answer couponQuote(Map<String, ?> request) {
        return couponQuote(Json.write(request));
    }

    /** Redeems coupons, charges stored balance, or both. The same bizId may be repeated and is never charged twice. */
    public Answer consume(String request) {
        return Native.out(Native.ZV.zv_consume_json(Native.in(request)));
    }

    /** As {@link #consume(String)}. */
    public Answer consume(Map<String, ?> request) {
        return consume(Json.write(request));
    }

    /** Reverses a complete consume (冲正). */
    public Answer reverse(String request) {
        return Native.out(Native.ZV.zv_reverse_json(Native.in(request)));
    }

    /** As {@link #reverse(String)}. */
    public Answer reverse(Map<String, ?> request) {
        return reverse(Json.write(request));
    }

    /** Makes a bizId, in the answer's bizId: no two agree, and a look-up needs no journal_id with it. */
    public Answer makeBizId() {
        return Native.out(Native.ZV.zv_biz_id());
    }

    /** Looks a bizId up in the journal. Sends nothing. */
    public Answer lookup(String request) {
        return Native.out(Native.ZV.zv_lookup_json(Native.in(request)));
    }

    /** As {@link #lookup(String)}. */
    public Answer lookup(Map<String, ?> request) {
        return lookup(Json.write(request));
    }

    /** Lists the sales that are not settled. */
    public Answer pending() {
        return pending(NOTHING);
    }

    /** Lists the sales that are not settled; with a day, every sale of that day. */
    public Answer pending(String request) {
        return Native.out(Native.ZV.zv_pending_json(Native.in(request)));
    }

    /** As {@link #pending(String)}. */
    public Answer pending(Map<String, ?> request) {
        return pending(Json.write(request));
    }

    /** Settles every sale that can be settled now. */
    public Answer recover() {
        return recover(NOTHING);
    }

    /** Settles every sale that can be settled now, and lists the rest of one account. */
    public Answer recover(String request) {
        return Native.out(Native.ZV.zv_recover_json(Native.in(request)));
    }

    /** As {@link #recover(String)}. */
    public Answer recover(Map<String, ?> request) {
        return recover(Json.write(request));
    }

    /** Reports that the till has stored its sale (option confirm). */
    public Answer confirm(String request) {
        return Native.out(Native.ZV.zv_confirm_json(Native.in(request)));
    }

    /** As {@link #confirm(String)}. */
    public Answer confirm(Map<String, ?> request) {
        return confirm(Json.write(request));
    }

    /** Records a person's decision about a sale whose result is unknown. */
    public Answer settle(String request) {
        return Native.out(Native.ZV.zv_settle_json(Native.in(request)));
    }

    /** As {@link #settle(String)}. */
    public Answer settle(Map<String, ?> request) {
        return settle(Json.write(request));
    }

    /** Sends a query that charges nothing, such as member_lookup. */
    public Answer call(String action, String params) {
        return Native.out(Native.ZV.zv_call_json(Native.in(action), Native.in(params)));
    }

    /** As {@link #call(String, String)}. */
    public Answer call(String action, Map<String, ?> params) {
        return call(action, Json.write(params));
    }

    /** As {@link #couponQuote(String)}, without blocking. */
    public CompletableFuture<Answer> couponQuoteAsync(Map<String, ?> request) {
        return startAsync("coupon_quote", Json.write(request));
    }

    /** As {@link #consume(String)}, without blocking. Cancelling the future does not cancel the payment: look it up. */
    public CompletableFuture<Answer> consumeAsync(Map<String, ?> request) {
        return startAsync("consume", Json.write(request));
    }

    /** As {@link #reverse(String)}, without blocking. */
    public CompletableFuture<Answer> reverseAsync(Map<String, ?> request) {
        return startAsync("reverse", Json.write(request));
    }

    /** As {@link #call(String, String)}, without blocking. */
    public CompletableFuture<Answer> callAsync(String action, Map<String, ?> params) {
        return startAsync("call:" + action, Json.write(params));
    }

    /**
     * Any operation of zv_start_json, such as lookup. At most 64 at a time; beyond that {@link Outcome#NOT_SENT}. The
     * future ends with a {@link ZvException} if the library was stopped by other code.
     */
    public CompletableFuture<Answer> startAsync(String operation, String request) {
        return TICKETS.start(operation, request == null ? NOTHING : request);
    }

    /**
     * Stops the library once every call has ended, each at its own deadline. data.still_running names the bizIds that
     * could not be waited for.
     */
    public Answer shutdown() {
        return TICKETS.shutdown();
    }

    /** As {@link #shutdown()}, unless somebody else had started the library. */
    @Override
    public void close() {
        if (!started.get("already").equals("true")) {
            shutdown();
        }
    }
}
