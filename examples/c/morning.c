/* What a till does when it starts: see what a crash has left, and let the library settle it.
 * Usage: morning http://127.0.0.1:8080/api/v2 JOURNAL */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "zvpos.h"

#define CONFIG "{\"openId\":\"fake-open-id-for-test-only-0001\",\"grantCode\":\"fake-grant-code-0001\"," \
    "\"openKey\":\"fake-open-key-for-test-only-0001\",\"endpoint\":\"%s\",\"journal\":\"%s\"," \
    "\"late_arrival_ms\":1000,\"routes\":{\"reverse\":{\"action\":\"sandbox.consume-reverse\"," \
    "\"codes\":{\"already\":[\"920002\"],\"not_found\":[\"920001\"]}}}}"

/* How many sales are not settled; prints them if asked to, and waits a moment where there are any. */
static int pending_sales(int print)
{
    const struct timespec moment = {0, 500000000};
    char path[64], count[16] = "0", biz_id[80], stage[32], next[32];
    char *pending = zv_pending_json(NULL);
    int i, n;

    zv_field(pending, "data.count", count, sizeof count);
    n = atoi(count);
    for (i = 0; i < n; i++) {
        snprintf(path, sizeof path, "data.entries.%d.entry.bizId", i);
        zv_field(pending, path, biz_id, sizeof biz_id);
        snprintf(path, sizeof path, "data.entries.%d.entry.stage", i);
        zv_field(pending, path, stage, sizeof stage);
        snprintf(path, sizeof path, "data.entries.%d.next", i);
        zv_field(pending, path, next, sizeof next);
        if (print)
            printf("  not settled: %s, stage %s, next %s\n", biz_id, stage, next);
    }
    zv_free(pending);
    if (n)
        nanosleep(&moment, NULL);
    return n;
}

/* Looks up what the till has stored, each with the journal_id that was stored with it (a real till: what has no end). */
static void look_up_attempts(const char *journal)
{
    char path[512], biz_id[65], journal_id[65], request[192], next[32], code[64], cashier[256];
    char *answer;
    FILE *file;

    snprintf(path, sizeof path, "%s.attempts", journal);
    file = fopen(path, "r");
    while (file && fscanf(file, "%64s %64s", biz_id, journal_id) == 2) {
        snprintf(request, sizeof request, "{\"bizId\":\"%s\",\"journal_id\":\"%s\"}", biz_id, journal_id);
        answer = zv_lookup_json(request);
        zv_field(answer, "next", next, sizeof next);
        zv_field(answer, "code", code, sizeof code);
        zv_field(answer, "cashier", cashier, sizeof cashier);
        printf("  look-up %-28s outcome %d  next %-14s code %-16s %s\n", biz_id, zv_outcome(answer), next, code, cashier);
        zv_free(answer);
    }
    if (file)
        fclose(file);
}

int main(int argc, char **argv)
{
    const char *journal = argc > 2 ? argv[2] : "/var/tmp/zvpos/till.db"; /* absolute: one journal, wherever it is started */
    char config[1024], unacknowledged[1024];
    char *answer;
    int tries;

    snprintf(config, sizeof config, CONFIG, argc > 1 ? argv[1] : "http://127.0.0.1:8080/api/v2", journal);
    answer = zv_init(config);
    if (zv_outcome(answer) != ZV_SUCCEEDED) {
        printf("%s\n", answer);
        return 1;
    }
    /* Sales that succeeded, but that the till may not have stored: look each up, then store or reverse it. */
    if (zv_field(answer, "data.unacknowledged.0", unacknowledged, sizeof unacknowledged)
        && zv_field(answer, "data.unacknowledged", unacknowledged, sizeof unacknowledged))
        printf("  succeeded before the crash, and perhaps not read: %s\n", unacknowledged);
    zv_free(answer);
    look_up_attempts(journal);
    for (tries = 0; tries < 20 && pending_sales(tries == 0) > 0; tries++)
        ;
    zv_free(zv_shutdown());
    return 0;
}
