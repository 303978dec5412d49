/* A sale with a pause: the member is looked up, and the payment follows some seconds later.
 * Usage: pause CONFIG_FILE SECONDS TURNS; writes the nanoseconds of each payment. */
#include <unistd.h>
#include "zvpos.h"
#include "peer.h"

int main(int argc, char **argv)
{
    static char config[4096];
    unsigned seconds;
    int turns;
    char *answer;
    FILE *file = fopen(argc > 3 ? argv[1] : "", "rb");
    CHECK(file, "no configuration");
    config[fread(config, 1, sizeof config - 1, file)] = 0;
    fclose(file);
    seconds = (unsigned)atoi(argv[2]);
    answer = zv_init(config);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    zv_free(answer);
    for (turns = atoi(argv[3]); turns > 0; turns--) {
        char request[256];
        uint64_t begun;
        answer = zv_call_json("communal.user.gether-customer-info", "{\"customerId\":\"383933091455959041\"}");
        CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
        zv_free(answer);
        sleep(seconds);
        snprintf(request, sizeof request,
                 "{\"bizId\":\"P-%llu\",\"customerId\":\"383933091455959041\",\"amount\":\"1.00\"}",
                 (unsigned long long)now_ns());
        begun = now_ns();
        answer = zv_consume_json(request);
        CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
        printf("%llu\n", (unsigned long long)(now_ns() - begun));
        zv_free(answer);
    }
    zv_free(zv_shutdown());
    return 0;
}
