/* Minimal calls, and texts in the host's charset. Usage: boundary CONFIG_FILE version|refused|find|take
 * Reads numbers of calls; writes the total nanoseconds of each batch. */
#include "zvpos.h"
#include "peer.h"

#define CHARACTERS 1000

/* {"text":"商商…商","last":"1"} in the charset of the configuration. */
static char *text(int gbk)
{
    char *json = malloc(3 * CHARACTERS + 64), *end = json;
    int i;
    end += sprintf(end, "{\"text\":\"");
    for (i = 0; i < CHARACTERS; i++)
        end += sprintf(end, "%s", gbk ? "\xc9\xcc" : "\xe5\x95\x86");
    sprintf(end, "\",\"last\":\"1\"}");
    return json;
}

static void call(const char *what, const char *json, size_t width)
{
    static char out[3 * CHARACTERS + 64];
    if (*what == 'v') {
        CHECK(*zv_version(), "no version");
    } else if (*what == 'r') {
        char *answer = zv_coupon_quote_json("{}");
        CHECK(zv_outcome(answer) == ZV_INVALID, answer);
        zv_free(answer);
    } else if (*what == 'f') {
        CHECK(zv_field(json, "last", out, sizeof out) == 1, "not found");
    } else {
        CHECK(zv_field(json, "text", out, sizeof out) == width * CHARACTERS, "not whole");
    }
}

int main(int argc, char **argv)
{
    static char config[4096], line[64];
    FILE *file = fopen(argc > 2 ? argv[1] : "", "rb");
    char *answer, *json;
    int gbk;
    CHECK(file, "no configuration");
    config[fread(config, 1, sizeof config - 1, file)] = 0;
    fclose(file);
    gbk = strstr(config, "\"gbk\"") != NULL;
    json = text(gbk);
    answer = zv_init(config);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    zv_free(answer);
    while (fgets(line, sizeof line, stdin)) {
        long long left = atoll(line);
        uint64_t begun = now_ns();
        for (; left > 0; left--)
            call(argv[2], json, gbk ? 2 : 3);
        printf("%llu\n", (unsigned long long)(now_ns() - begun));
        fflush(stdout);
    }
    zv_free(zv_shutdown());
    free(json);
    return 0;
}
