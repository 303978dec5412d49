/* A payment that survives a crash: the attempt is on disk, with the identity of its journal, before the call.
 * Usage: stored ENDPOINT JOURNAL BIZID [anything: ends before the call, as by a power failure] */
#include <stdio.h>
#include "zvpos.h"

#define CONFIG "{\"openId\":\"fake-open-id-for-test-only-0001\",\"grantCode\":\"fake-grant-code-0001\"," \
    "\"openKey\":\"fake-open-key-for-test-only-0001\",\"endpoint\":\"%s\",\"journal\":\"%s\"," \
    "\"late_arrival_ms\":1000,\"routes\":{\"reverse\":{\"action\":\"sandbox.consume-reverse\"," \
    "\"codes\":{\"already\":[\"920002\"],\"not_found\":[\"920001\"]}}}}"

int main(int argc, char **argv)
{
    char config[1024], path[512], request[256], journal_id[65] = "", *answer;
    int outcome;
    FILE *file;

    if (argc < 4)
        return 2;
    snprintf(config, sizeof config, CONFIG, argv[1], argv[2]);
    answer = zv_init(config);
    zv_field(answer, "data.journal_id", journal_id, sizeof journal_id);
    zv_free(answer);
    snprintf(path, sizeof path, "%s.attempts", argv[2]);
    file = fopen(path, "a");
    if (!file) /* a till that cannot store must not sell */
        return 1;
    fprintf(file, "%s %s\n", argv[3], journal_id);
    fclose(file); /* a real till: fsync */
    if (argc > 4)
        return 0;
    snprintf(request, sizeof request, "{\"bizId\":\"%s\",\"customerId\":\"383933091455959041\",\"amount\":\"10.00\"}", argv[3]);
    answer = zv_consume_json(request);
    outcome = zv_outcome(answer);
    printf("pay: %s outcome %d\n", argv[3], outcome);
    zv_free(answer);
    zv_free(zv_shutdown());
    return outcome == ZV_SUCCEEDED ? 0 : 1;
}
