/* A process that starts, makes one call and writes its answer; it stops the library after that.
 * Usage: once quote|consume CONFIG_FILE */
#include "zvpos.h"
#include "peer.h"

#define QUOTE                                                                                      \
    "{\"user_coupon_id\":\"390962138708451328\",\"user_id\":\"383933091455959041\",\"items\":"    \
    "[{\"num\":2,\"trade_mark\":\"201909280011111\",\"price\":\"13.50\"}]}"

int main(int argc, char **argv)
{
    static char config[4096];
    char request[256], *answer;
    FILE *file = fopen(argc > 2 ? argv[2] : "", "rb");
    CHECK(file, "no configuration");
    config[fread(config, 1, sizeof config - 1, file)] = 0;
    fclose(file);
    answer = zv_init(config);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    zv_free(answer);
    if (!strcmp(argv[1], "quote")) {
        answer = zv_coupon_quote_json(QUOTE);
    } else {
        snprintf(request, sizeof request,
                 "{\"bizId\":\"O-%llu\",\"customerId\":\"383933091455959041\",\"amount\":\"1.00\"}",
                 (unsigned long long)now_ns());
        answer = zv_consume_json(request);
    }
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    puts(answer);
    fflush(stdout);
    zv_free(answer);
    zv_free(zv_shutdown());
    return 0;
}
