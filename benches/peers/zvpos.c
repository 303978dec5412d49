/* The same calls through this library. Usage: zvpos quote|consume|start CONFIG_FILE
 * `start` only starts and stops it: writes the nanoseconds of zv_init, and of everything after its answer. */
#include "zvpos.h"
#include "peer.h"

#define QUOTE                                                                                      \
    "{\"user_coupon_id\":\"390962138708451328\",\"user_id\":\"383933091455959041\",\"items\":"    \
    "[{\"num\":2,\"trade_mark\":\"201909280011111\",\"price\":\"13.50\"}]}"

static void quote(void *unused)
{
    char *answer = zv_coupon_quote_json(QUOTE);
    char discount[32];
    (void)unused;
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    CHECK(zv_field(answer, "data.coupon_discount", discount, sizeof discount) > 0, answer);
    zv_free(answer);
}

static void consume(void *given)
{
    unsigned long *number = given;
    char request[256], *answer;
    snprintf(request, sizeof request,
             "{\"bizId\":\"B-%lu\",\"customerId\":\"383933091455959041\",\"amount\":\"1.00\"}", ++*number);
    answer = zv_consume_json(request);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    zv_free(answer);
}

int main(int argc, char **argv)
{
    static char config[4096];
    unsigned long number = (unsigned long)now_ns();
    FILE *file = fopen(argv[2], "rb");
    uint64_t begun, took;
    char *answer;
    CHECK(argc > 2 && file, "no configuration");
    config[fread(config, 1, sizeof config - 1, file)] = 0;
    fclose(file);
    begun = now_ns();
    answer = zv_init(config);
    took = now_ns() - begun;
    begun = now_ns();
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    zv_free(answer);
    if (!strcmp(argv[1], "start")) {
        zv_free(zv_shutdown());
        printf("%llu %llu\n", (unsigned long long)took, (unsigned long long)(now_ns() - begun));
        return 0;
    }
    serve(strcmp(argv[1], "consume") ? quote : consume, &number);
    zv_free(zv_shutdown());
    return 0;
}
