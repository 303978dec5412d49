package cn.zvpos;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The C functions, and how texts pass to and from them: UTF-8, NUL-terminated. */
final class Native {
    /** The first version of the interface that has every function below. */
    private static final int ABI_VERSION = 3;

    /** A result declared as String would never be given back. */
    interface Functions extends Library {
        Pointer zv_init(byte[] config);

        Pointer zv_coupon_quote_json(byte[] request);

        Pointer zv_consume_json(byte[] request);

        Pointer zv_reverse_json(byte[] request);

        Pointer zv_lookup_json(byte[] request);

        Pointer zv_pending_json(byte[] request);

        Pointer zv_recover_json(byte[] request);

        Pointer zv_confirm_json(byte[] request);

        Pointer zv_settle_json(byte[] request);

        Pointer zv_call_json(byte[] action, byte[] params);

        Pointer zv_start_json(byte[] operation, byte[] request);

        Pointer zv_poll_json(byte[] ticket);

        Pointer zv_biz_id();

        Pointer zv_shutdown();

        int zv_outcome(Pointer response);

        SizeT zv_field(byte[] response, byte[] path, byte[] buffer, SizeT capacity);

        void zv_free(Pointer response);

        Pointer zv_version();

        int zv_abi_version();
    }

    static final Functions ZV = com.sun.jna.Native.load("zvpos", Functions.class);

    private Native() {
    }

    /** Fails before any money moves, not at the first function that an old library lacks. */
    static void checkVersion() {
        int found = ZV.zv_abi_version();
        if (found < ABI_VERSION) {
            throw new ZvException("this library has interface " + found + ", needed is " + ABI_VERSION, null);
        }
    }

    static String version() {
        return ZV.zv_version().getString(0, "UTF-8");
    }

    /** UTF-8 with NUL; null stays null. */
    static byte[] in(String text) {
        if (text == null) {
            return null;
        }
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a text with NUL would be cut there");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    /**
     * Copies an answer and gives it back. If there is no memory for the copy it is not given back: the library then
     * knows that the till has not acknowledged it, and names it after the next start.
     */
    static Answer out(Pointer response) {
        int number = ZV.zv_outcome(response);
        String text = response.getString(0, "UTF-8");
        ZV.zv_free(response);
        return new Answer(Outcome.of(number), text);
    }

    /** One value of an answer as text; "" where there is none. */
    static String field(String json, String path) {
        byte[] answer = in(json);
        byte[] name = in(path);
        byte[] buffer = new byte[256];
        int length = ZV.zv_field(answer, name, buffer, new SizeT(buffer.length)).intValue();
        if (length >= buffer.length) {
            buffer = new byte[length];
            length = ZV.zv_field(answer, name, buffer, new SizeT(buffer.length)).intValue();
        }
        return new String(buffer, 0, length, StandardCharsets.UTF_8);
    }
}
