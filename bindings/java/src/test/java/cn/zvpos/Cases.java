package cn.zvpos;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * Runs the table of cases (tests/cases/README.md) through this binding: Cases GATEWAY ADMIN FOLDER FILE... Without files:
 * what only this binding has. A line a case: "ok NAME", or "FAILED NAME: why".
 */
public final class Cases {
    private static final String OWN_CONFIG = "{\"openId\":\"fake-open-id-for-test-only-0001\","
            + "\"grantCode\":\"fake-grant-code-0001\",\"openKey\":\"fake-open-key-for-test-only-0001\","
            + "\"endpoint\":\"$GATEWAY/api/v2\",\"journal\":\"$JOURNAL\"}";
    private static final long PATIENCE_NS = 40_000_000_000L;

    /** What the library was started with. */
    static String config;

    private final String gateway;
    private final String admin;
    private final String folder;
    private final PrintStream out;
    private Zv zv;
    private int journals;
    private int failed;

    private Cases(String gateway, String admin, String folder, PrintStream out) {
        this.gateway = gateway;
        this.admin = admin;
        this.folder = folder;
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        Cases cases = new Cases(arguments[0], arguments[1], arguments[2], out);
        for (int at = 3; at < arguments.length; at++) {
            String file = new String(Files.readAllBytes(Paths.get(arguments[at])), StandardCharsets.UTF_8);
            for (String one : items(file, "cases")) {
                cases.report(Answer.field(one, "name"), Answer.field(file, "config"), () -> cases.run(one));
            }
        }
        if (arguments.length == 3) {
            for (Map.Entry<String, Own.Check> own : Own.all().entrySet()) {
                cases.report(own.getKey(), OWN_CONFIG, () -> own.getValue().run(cases.zv));
            }
        }
        System.exit(cases.failed == 0 ? 0 : 1);
    }

    /** On a simulator that was reset, with a journal of its own, the library started and in the end stopped. */
    private void report(String name, String template, Callable<String> body) throws IOException {
        http("POST", "/reset", "");
        String journal = Paths.get(folder, "journal-" + ++journals + ".db").toString().replace('\\', '/');
        config = template.replace("$GATEWAY", gateway).replace("$JOURNAL", journal);
        String wrong;
        try (Zv started = Zv.start(config)) {
            zv = started;
            wrong = body.call();
        } catch (Exception error) {
            wrong = error.toString();
        }
        if (wrong != null) {
            failed++;
        }
        out.println(wrong == null ? "ok " + name : "FAILED " + name + ": " + wrong);
    }

    /** What is wrong, or null. */
    private String run(String one) throws Exception {
        for (String request : items(one, "admin")) {
            http(Answer.field(request, "0"), Answer.field(request, "1"), Answer.field(request, "2"));
        }
        for (String call : items(one, "calls")) {
            String wrong = until(Answer.field(call, "wait").equals("true"), () -> held(call, call(call)));
            if (wrong != null) {
                return Answer.field(call, "call") + ": " + wrong;
            }
        }
        for (String net : items(one, "net")) {
            String bizId = Answer.field(net, "0");
            String wrong = until(true, () -> {
                String ledger = http("GET", "/ledger?bizId=" + bizId, "");
                return differs("net", Answer.field(net, "1"), Answer.field(ledger, "net"));
            });
            if (wrong != null) {
                return bizId + ": " + wrong;
            }
        }
        return null;
    }

    private Answer call(String call) throws Exception {
        String name = Answer.field(call, "call");
        String given = Answer.field(call, "request");
        String identity = zv.started().get("data.journal_id");
        String request = given.isEmpty() ? null : given.replace("$JOURNAL_ID", identity);
        if (name.startsWith("start:")) {
            return zv.startAsync(name.substring(6), request).get();
        }
        if (name.startsWith("call:")) {
            return zv.call(name.substring(5), request);
        }
        switch (name) {
            case "init":
                return init(request == null ? config : request);
            case "coupon_quote":
                return zv.couponQuote(request);
            case "consume":
                return zv.consume(request);
            case "reverse":
                return zv.reverse(request);
            case "lookup":
                return zv.lookup(request);
            case "pending":
                return request == null ? zv.pending() : zv.pending(request);
            case "recover":
                return request == null ? zv.recover() : zv.recover(request);
            case "confirm":
                return zv.confirm(request);
            case "settle":
                return zv.settle(request);
            case "biz_id":
                return zv.makeBizId();
            case "shutdown":
                return zv.shutdown();
            default:
                throw new IllegalArgumentException("no such call: " + name);
        }
    }

    private static Answer init(String request) {
        try {
            return Zv.start(request).started();
        } catch (ZvException refused) {
            return refused.answer();
        }
    }

    /** The answer against what is expected of it. */
    private static String held(String call, Answer answer) {
        List<String> wrong = new ArrayList<>();
        wrong.add(differs("outcome", Answer.field(call, "outcome"), answer.get("outcome")));
        wrong.add(differs("Outcome", Answer.field(call, "outcome"), answer.outcome().name().toLowerCase()));
        for (String field : items(call, "fields")) {
            String path = Answer.field(field, "0");
            wrong.add(differs(path, Answer.field(field, "1"), answer.get(path)));
        }
        return wrong.stream().filter(one -> one != null).findFirst().map(one -> one + " in " + answer).orElse(null);
    }

    private static String differs(String what, String expected, String found) {
        return expected.equals(found) ? null : what + " is \"" + found + "\", expected \"" + expected + "\"";
    }

    private static String until(boolean wait, Callable<String> check) throws Exception {
        long started = System.nanoTime();
        String wrong = check.call();
        while (wrong != null && wait && System.nanoTime() - started < PATIENCE_NS) {
            Thread.sleep(20);
            wrong = check.call();
        }
        return wrong;
    }

    private static List<String> items(String json, String path) {
        List<String> items = new ArrayList<>();
        for (String item; !(item = Answer.field(json, path + "." + items.size())).isEmpty();) {
            items.add(item);
        }
        return items;
    }

    private String http(String method, String path, String body) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(admin + path).openConnection();
        connection.setRequestMethod(method);
        if (method.equals("POST")) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.getOutputStream().write((body.isEmpty() ? "{}" : body).getBytes(StandardCharsets.UTF_8));
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] part = new byte[4096];
        try (InputStream stream = connection.getInputStream()) {
            for (int n; (n = stream.read(part)) > 0;) {
                bytes.write(part, 0, n);
            }
        }
        return bytes.toString("UTF-8");
    }
}
