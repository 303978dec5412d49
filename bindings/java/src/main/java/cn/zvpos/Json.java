package cn.zvpos;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes requests. What cannot be written exactly is refused: double and float cannot hold 0.10 元.
 */
public final class Json {
    private Json() {
    }

    /** An object: name, value, name, value. Values are text, numbers, booleans, maps, lists or null. */
    public static Map<String, Object> of(Object... namesAndValues) {
        Map<String, Object> object = new LinkedHashMap<>();
        for (int at = 0; at < namesAndValues.length; at += 2) {
            object.put((String) namesAndValues[at], namesAndValues[at + 1]);
        }
        return object;
    }

    /** The JSON of a map. */
    public static String write(Map<String, ?> object) {
        StringBuilder json = new StringBuilder();
        writeMap(json, object);
        return json.toString();
    }

    private static void write(StringBuilder json, Object value) {
        if (value == null || value instanceof Boolean) {
            json.append(value);
        } else if (value instanceof CharSequence) {
            writeText(json, value.toString());
        } else if (value instanceof BigDecimal) {
            json.append(((BigDecimal) value).toPlainString());
        } else if (value instanceof Double || value instanceof Float) {
            throw new IllegalArgumentException("double and float are not exact: give money as BigDecimal or as text");
        } else if (value instanceof Long || value instanceof Integer || value instanceof Short
                || value instanceof Byte || value instanceof BigInteger) {
            json.append(value);
        } else if (value instanceof Map) {
            writeMap(json, (Map<?, ?>) value);
        } else if (value instanceof List) {
            writeList(json, (List<?>) value);
        } else {
            throw new IllegalArgumentException("no JSON: " + value.getClass().getName());
        }
    }

    private static void writeMap(StringBuilder json, Map<?, ?> object) {
        String separator = "{";
        for (Map.Entry<?, ?> member : object.entrySet()) {
            json.append(separator);
            writeText(json, (String) member.getKey());
            json.append(':');
            write(json, member.getValue());
            separator = ",";
        }
        json.append(object.isEmpty() ? "{}" : "}");
    }

    private static void writeList(StringBuilder json, List<?> items) {
        String separator = "[";
        for (Object item : items) {
            json.append(separator);
            write(json, item);
            separator = ",";
        }
        json.append(items.isEmpty() ? "[]" : "]");
    }

    private static void writeText(StringBuilder json, String text) {
        json.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }
}
