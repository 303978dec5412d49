package cn.zvpos;

import java.util.ArrayList;
import java.util.List;

/** An answer of the library. It stays valid after the library has stopped. */
public final class Answer {
    private final Outcome outcome;
    private final String text;

    Answer(Outcome outcome, String text) {
        this.outcome = outcome;
        this.text = text;
    }

    /** What happened to the member's money. */
    public Outcome outcome() {
        return outcome;
    }

    /**
     * It is {@link Outcome#SUCCEEDED}. With the option confirm the sale is complete only when this is true of
     * {@link Zv#confirm}, too.
     */
    public boolean succeeded() {
        return outcome == Outcome.SUCCEEDED;
    }

    /** The one action to take now, such as complete_sale or other_tender. */
    public String next() {
        return get("next");
    }

    /** The gateway's code, or one of the library's, which begin with ZV-. */
    public String code() {
        return get("code");
    }

    /** For the programmer and the log. */
    public String message() {
        return get("message");
    }

    /** One short sentence for the cashier. */
    public String cashier() {
        return get("cashier");
    }

    /**
     * One value as text: names and positions joined by points, such as data.coupon_discount or errors.0.path. Lists
     * and objects as JSON; "" where there is no such value.
     */
    public String get(String path) {
        return field(text, path);
    }

    /** The items of a list, each as text, up to the first that is empty. */
    public List<String> list(String path) {
        List<String> items = new ArrayList<>();
        for (String item = get(path + ".0"); !item.isEmpty(); item = get(path + "." + items.size())) {
            items.add(item);
        }
        return items;
    }

    /** One value of any JSON text, such as an item of {@link #list}. */
    public static String field(String json, String path) {
        return Native.field(json, path);
    }

    /** The whole answer as JSON, fit for a log. */
    @Override
    public String toString() {
        return text;
    }
}
