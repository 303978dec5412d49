package cn.zvpos;

import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;

/**
 * Calls that were started and whose answers are fetched as they come, by one thread that lives only while there are any.
 */
final class Tickets {
    private static final long POLL_MS = 10;

    /** One start, fetch or stop at a time. */
    final Object turn = new Object();
    private final Map<String, CompletableFuture<Answer>> open = new HashMap<>();
    private boolean polling;

    CompletableFuture<Answer> start(String operation, String request) {
        byte[] name = Native.in(operation);
        byte[] json = Native.in(request);
        CompletableFuture<Answer> future = new CompletableFuture<>();
        synchronized (turn) {
            Answer answer = Native.out(Native.ZV.zv_start_json(name, json));
            if (answer.outcome() != Outcome.RUNNING) {
                future.complete(answer);
                return future;
            }
            open.put(answer.get("data.ticket"), future);
            if (!polling) {
                polling = true;
                Thread thread = new Thread(this::pollAll, "zvpos-poll");
                thread.setDaemon(true);
                thread.start();
            }
        }
        return future;
    }

    /**
     * Stops the library after fetching every answer: with the library a ticket would be gone, and with it the answer
     * to a payment.
     */
    Answer shutdown() {
        synchronized (turn) {
            while (!open.isEmpty()) {
                poll();
                pause();
            }
            return Native.out(Native.ZV.zv_shutdown());
        }
    }

    private void pollAll() {
        for (;;) {
            synchronized (turn) {
                poll();
                if (open.isEmpty()) {
                    polling = false;
                    return;
                }
            }
            pause();
        }
    }

    private void poll() {
        List<String> tickets = new ArrayList<>(open.keySet());
        for (String ticket : tickets) {
            Pointer response = Native.ZV.zv_poll_json(Native.in(ticket));
            boolean ended = Native.ZV.zv_outcome(response) != Outcome.RUNNING.ordinal();
            if (ended && open.get(ticket).isDone()) {
                // Cancelled, or out of time: nobody will read it. What is not given back counts as unacknowledged, and
                // the library names it after the next start.
                open.remove(ticket);
                continue;
            }
            Answer answer = Native.out(response);
            if (ended) {
                CompletableFuture<Answer> future = open.remove(ticket);
                // The program's own code runs without the lock.
                ForkJoinPool.commonPool().execute(() -> complete(future, answer));
            }
        }
    }

    /** A ticket that is gone says nothing about its payment. */
    private static void complete(CompletableFuture<Answer> future, Answer answer) {
        String code = answer.code();
        if (code.equals("ZV-NO-TICKET") || code.equals("ZV-SHUT-DOWN") || code.equals("ZV-NOT-INIT")) {
            future.completeExceptionally(new ZvException(
                    "the library was stopped before the answer was fetched; start it and look the bizId up", answer));
        } else {
            future.complete(answer);
        }
    }

    /** An interrupt ends no payment: the flag stays set for the caller. */
    private static void pause() {
        boolean interrupted = Thread.interrupted();
        try {
            Thread.sleep(POLL_MS);
        } catch (InterruptedException again) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
