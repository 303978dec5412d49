package cn.zvpos;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** What only this binding has: requests as maps, futures, and what becomes of them when the library stops. */
final class Own {
    private static final String MEMBER = "383933091455959041";

    /** Says what is wrong, or null. */
    interface Check {
        String run(Zv zv) throws Exception;
    }

    private Own() {
    }

    static Map<String, Check> all() {
        Map<String, Check> all = new LinkedHashMap<>();
        all.put("own-map", Own::map);
        all.put("own-not-exact", Own::notExact);
        all.put("own-lists", Own::lists);
        all.put("own-second-start", Own::secondStart);
        all.put("own-answers-are-given-back", Own::givenBack);
        all.put("own-many-futures", Own::manyFutures);
        all.put("own-shutdown-fetches-answers", Own::shutdownFetches);
        all.put("own-answer-lost", Own::answerLost);
        all.put("own-cancelled-is-unacknowledged", Own::cancelled);
        all.put("own-start-names-the-reasons", Own::startNamesTheReasons);
        return all;
    }

    private static Map<String, Object> payment(String bizId) {
        return Json.of("bizId", bizId, "customerId", MEMBER, "amount", "1.00");
    }

    private static String map(Zv zv) {
        Answer answer = zv.consume(Json.of("bizId", "O-1", "customerId", MEMBER, "amount", new BigDecimal("23.10"),
                "points", 5, "remark", "\"小票\" \\ 1 🧾", "couponsCardList", Arrays.asList("390962138708451328"), "ip", null));
        return answer.succeeded() && answer.get("data.change_recharge_amount").equals("23.10") ? null : answer.toString();
    }

    private static String notExact(Zv zv) {
        try {
            return zv.consume(Json.of("bizId", "O-1", "customerId", MEMBER, "amount", 0.1)).toString();
        } catch (IllegalArgumentException refused) {
            // As it should be.
        }
        try {
            return zv.consume("{\"bizId\":\"O-1\"}\0").toString();
        } catch (IllegalArgumentException refused) {
            // As it should be.
        }
        return zv.lookup(Json.of("bizId", "O-1")).code().equals("ZV-NOT-FOUND") ? null : "something was sent";
    }

    private static String lists(Zv zv) {
        Answer answer = zv.consume(Json.of("bizId", "O 1", "amount", "1.005"));
        List<String> paths = new ArrayList<>();
        for (String error : answer.list("errors")) {
            paths.add(Answer.field(error, "path"));
        }
        boolean right = paths.equals(Arrays.asList("bizId", "amount", "customerId"));
        return right && answer.list("warnings").isEmpty() ? null : paths + " in " + answer;
    }

    private static String secondStart(Zv zv) {
        try (Zv second = Zv.start(Cases.config)) {
            if (!second.started().get("already").equals("true")) {
                return second.started().toString();
            }
        }
        return zv.pending().succeeded() ? null : "stopped by the second";
    }

    /** The library names after a start what nobody has given back, and so perhaps nobody read. */
    private static String givenBack(Zv zv) throws Exception {
        boolean paid = zv.consume(payment("O-1")).succeeded() && zv.consumeAsync(payment("O-2")).get().succeeded();
        zv.shutdown();
        try (Zv again = Zv.start(Cases.config)) {
            return paid && again.started().get("data.unacknowledged").equals("[]") ? null : again.started().toString();
        }
    }

    private static String manyFutures(Zv zv) throws Exception {
        List<CompletableFuture<Answer>> futures = new ArrayList<>();
        for (int number = 1; number <= 40; number++) {
            Map<String, Object> item = Json.of("num", number, "trade_mark", "A", "price", "28.00");
            futures.add(zv.couponQuoteAsync(Json.of("user_coupon_id", "390962138708451328", "user_id", MEMBER, "items",
                    Collections.singletonList(item))));
        }
        for (CompletableFuture<Answer> future : futures) {
            if (!future.get().get("data.coupon_discount").equals("5.00")) {
                return future.get().toString();
            }
        }
        return null;
    }

    private static String shutdownFetches(Zv zv) throws Exception {
        CompletableFuture<Answer> future = zv.consumeAsync(payment("O-1~slow_body:1"));
        zv.shutdown();
        return future.get().succeeded() ? null : future.get().toString();
    }

    /** A payment goes on when nobody waits for it any more; its success is named after the next start. */
    private static String cancelled(Zv zv) {
        zv.consumeAsync(payment("O-1~slow_body:1")).cancel(true);
        zv.shutdown();
        try (Zv again = Zv.start(Cases.config)) {
            String unacknowledged = again.started().get("data.unacknowledged");
            return unacknowledged.equals("[\"O-1~slow_body:1\"]") ? null : again.started().toString();
        }
    }

    private static String startNamesTheReasons(Zv zv) {
        zv.shutdown();
        try (Zv started = Zv.start("{\"openId\":\"a\",\"idle_ms\":\"x\",\"lang\":\"en\"}")) {
            return "started " + started;
        } catch (ZvException refused) {
            String said = refused.getMessage();
            boolean named = said.startsWith("ZV-CONFIG: ") && said.contains("idle_ms must be ")
                    && said.contains("grantCode is missing: ");
            return named ? null : said;
        }
    }

    private static String answerLost(Zv zv) throws Exception {
        CompletableFuture<Answer> future = zv.consumeAsync(payment("O-1~slow_body:1"));
        // While it is held nothing is fetched: so the answer is lost every time, not only now and then.
        synchronized (Zv.TICKETS.turn) {
            Native.ZV.zv_free(Native.ZV.zv_shutdown());
        }
        try {
            return "answered " + future.get();
        } catch (ExecutionException lost) {
            return lost.getCause() instanceof ZvException ? null : lost.toString();
        }
    }
}
