/* Answers: whose they are, how they are taken, read and given back, and that giving back the wrong thing does no
 * harm but is said. Usage: answers ENDPOINT */
#include "check.h"

static char logged[4096];

static void on_log(int32_t level, const char *message, void *user_data)
{
    size_t length = strlen(logged);
    (void)level;
    (void)user_data;
    snprintf(logged + length, sizeof logged - length, "%s\n", message);
}

/* One line with ZV-FREE was logged since the last call, and it names the function. */
static void said(const char *function)
{
    char *first = strstr(logged, "ZV-FREE");
    CHECK(first && strstr(first, function) && !strstr(first + 1, "ZV-FREE"), logged);
    logged[0] = 0;
}

static void taking(void)
{
    char buffer[8192], *answer = zv_shutdown(), *exact;
    size_t length = strlen(answer);
    char *copy = malloc(length + 1);
    memcpy(copy, answer, length + 1);

    CHECK(zv_take(NULL, buffer, sizeof buffer) == 0, "NULL is nothing");
    CHECK(zv_take(NULL, NULL, 0) == 0, "NULL is nothing");
    CHECK(logged[0] == 0, logged);
    /* Too small: nothing is copied, nothing is freed, and what is needed is told. */
    buffer[0] = 'x';
    CHECK(zv_take(answer, NULL, 0) == length + 1, answer);
    CHECK(zv_take(answer, NULL, sizeof buffer) == length + 1, answer);
    CHECK(zv_take(answer, buffer, 0) == length + 1, answer);
    CHECK(zv_take(answer, buffer, 1) == length + 1, answer);
    CHECK(zv_take(answer, buffer, length) == length + 1, answer);
    CHECK(buffer[0] == 'x' && strcmp(answer, copy) == 0, answer);
    /* A buffer of the very size, with nothing behind it that may be touched. */
    exact = malloc(length + 1);
    CHECK(zv_take(answer, exact, length + 1) == length, copy);
    CHECK(strcmp(exact, copy) == 0, exact);
    CHECK(logged[0] == 0, logged);
    /* It is gone now. */
    CHECK(zv_take(answer, buffer, sizeof buffer) == 0 && buffer[0] == 'x', buffer);
    said("zv_take");
    zv_free(answer);
    said("zv_free");
    /* Larger than needed, and with a capacity that no memory has. */
    answer = zv_shutdown();
    CHECK(zv_take(answer, buffer, sizeof buffer) == strlen(buffer), buffer);
    free(exact);
    free(copy);
}

static void giving_back_what_is_not_ours(void)
{
    char stack[64] = "{\"outcome\":\"succeeded\"}", *answer = zv_shutdown(), *heap = malloc(64);
    static const char literal[] = "{}";
    char *not_const;
    memcpy(&not_const, &(const char *){literal}, sizeof not_const);

    zv_free(NULL);
    CHECK(logged[0] == 0, logged);
    zv_free(stack);
    said("zv_free");
    zv_free(not_const);
    said("zv_free");
    zv_free(heap);
    said("zv_free");
    free(heap);
    zv_free(answer + 1);
    said("zv_free");
    memcpy(&not_const, &(const char *){zv_version()}, sizeof not_const);
    zv_free(not_const);
    said("zv_free");
    /* Still alive after all of it. */
    CHECK(zv_outcome(answer) == ZV_INVALID, answer);
    zv_free(answer);
    CHECK(logged[0] == 0, logged);
    zv_free(answer);
    said("zv_free");
}

/* How many answers are kept from being given out again, and up to which size in all; see src/answers.rs. */
#define KEPT 256
#define KEPT_BYTES (1024 * 1024)

/* The second free of a dead answer never reaches another answer that lives, and a dead one shows nothing. */
static void giving_back_twice(void)
{
    char buffer[8192], *dead[KEPT], *live;
    int round, i;
    for (round = 0; round < 1000; round++) {
        dead[0] = zv_shutdown();
        if (round % 2)
            zv_free(dead[0]);
        else
            CHECK(zv_take(dead[0], buffer, sizeof buffer) > 0, buffer);
        live = zv_shutdown();
        CHECK(zv_take(dead[0], buffer, sizeof buffer) == 0, buffer);
        said("zv_take");
        zv_free(dead[0]);
        said("zv_free");
        CHECK(zv_take(live, buffer, sizeof buffer) == strlen(buffer) && zv_outcome(buffer) == ZV_INVALID,
              "a second free of a dead answer freed another one that lives");
        CHECK(logged[0] == 0, logged);
    }
    /* As many as are kept, each freed a second time beside one that lives. */
    for (i = 0; i < KEPT; i++) {
        dead[i] = zv_shutdown();
        zv_free(dead[i]);
    }
    live = zv_shutdown();
    for (i = 0; i < KEPT; i++) {
        CHECK(dead[i] != live, "an address is given out again");
        CHECK(zv_outcome(dead[i]) == -1, "a dead answer shows what it was");
        zv_free(dead[i]);
        said("zv_free");
    }
    zv_free(live);
    CHECK(logged[0] == 0, logged);
}

/* 0 where it is not known. */
static long resident_kib(void)
{
    long kib = 0;
    char line[256];
    FILE *status = NULL;
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed, too, for its own reasons */
    status = fopen("/proc/self/status", "r");
#endif
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmRSS: %ld", &kib);
    if (status)
        fclose(status);
    return kib;
}

/* Answers of a third of a MiB and more: what is kept of them has its limit, too. The library runs, and says which
 * action it does not know. */
static void keeping_little(void)
{
    static char action[KEPT_BYTES];
    long before = 0;
    char *answer;
    int i;
    zv_set_log_callback(on_log, NULL, ZV_LOG_ERROR);
    memset(action, 'x', sizeof action - 1);
    for (i = 0; i < 120; i++) {
        action[(i % 2 ? KEPT_BYTES / 3 : KEPT_BYTES) - 1] = 0;
        answer = zv_call_json(action, "{}");
        CHECK(zv_outcome(answer) == ZV_INVALID && strlen(answer) > KEPT_BYTES / 3, "a large answer");
        zv_free(answer);
        action[KEPT_BYTES / 3 - 1] = 'x';
        if (i == 20) /* 66 MiB before the end */
            before = resident_kib();
    }
    CHECK(resident_kib() - before < 30 * 1024, "freed answers stay in memory");
    /* Also the small ones before them. */
    answer = zv_call_json("x", "{}");
    zv_free(answer);
    zv_free(answer);
    said("zv_free");
    zv_set_log_callback(on_log, NULL, ZV_LOG_TRACE);
}

static void outcomes(void)
{
    static const struct {
        const char *text;
        int outcome;
    } CASES[] = {
        {"{\"outcome\":\"succeeded\"}", ZV_SUCCEEDED}, {"{\"outcome\":\"declined\"}", ZV_DECLINED},
        {"{\"outcome\":\"invalid\"}", ZV_INVALID},     {"{\"outcome\":\"not_sent\"}", ZV_NOT_SENT},
        {"{\"outcome\":\"unknown\"}", ZV_UNKNOWN},     {"{\"outcome\":\"internal\"}", ZV_INTERNAL},
        {"{\"outcome\":\"reversed\"}", ZV_REVERSED},   {"{\"outcome\":\"conflict\"}", ZV_CONFLICT},
        {"", -1},
        {"{}", -1},
        {"[]", -1},
        {"garbage", -1},
        {"{\"outcome\":0}", -1},
        {"{\"outcome\":\"SUCCEEDED\"}", -1},
        {"{\"outcome\":\"succeeded\"", -1},
        {"{\"outcome\":\"succeeded\"} x", -1},
        {"{\"outcome\":\"declined\",\"outcome\":\"succeeded\"}", -1},
        {"\"succeeded\"", -1},
        {"{\"data\":{\"outcome\":\"succeeded\"}}", -1},
        {"\xff\xfe{", -1},
        {"{\"outcome\":\"succeeded\",\"x\":\"\xc6\"}", -1},
    };
    char *answer = zv_shutdown(), *copy = malloc(strlen(answer) + 1);
    size_t i;
    strcpy(copy, answer);
    CHECK(zv_outcome(NULL) == -1, "NULL");
    for (i = 0; i < sizeof CASES / sizeof *CASES; i++)
        CHECK(zv_outcome(CASES[i].text) == CASES[i].outcome, CASES[i].text);
    zv_free(answer);
    CHECK(zv_outcome(copy) == ZV_INVALID, copy);
    free(copy);
}

static void fields(void)
{
    const char *answer = "{\"outcome\":\"declined\",\"cashier\":\"\\u6263\\u6b3e \\\"x\\\"\",\"n\":1.50,\"no\":null,\"empty\":\"\","
                         "\"yes\":true,\"list\":[{\"a\":\"b\"},[7]],\"a.b\":1,\"long\":\"0123456789\"}";
    char buffer[256];
    memset(buffer, 'x', sizeof buffer);
    CHECK(zv_field(NULL, "code", buffer, sizeof buffer) == 0 && buffer[0] == 'x', "");
    CHECK(zv_field(answer, NULL, buffer, sizeof buffer) == 0 && buffer[0] == 'x', "");
    CHECK(zv_field("no json", "code", buffer, sizeof buffer) == 0, "");
    CHECK(zv_field(answer, "nothing", buffer, sizeof buffer) == 0, "");
    CHECK(zv_field(answer, "no", buffer, sizeof buffer) == 0, "");
    CHECK(zv_field(answer, "empty", buffer, sizeof buffer) == 0, "");
    CHECK(zv_field(answer, "list.9", buffer, sizeof buffer) == 0, "");
    CHECK(zv_field(answer, "list.-1", buffer, sizeof buffer) == 0, "");
    CHECK(zv_field(answer, "yes.x", buffer, sizeof buffer) == 0, "");
    CHECK(zv_field(answer, "\xff\xfe", buffer, sizeof buffer) == 0, "");
    /* The size rule of zv_take. */
    memset(buffer, 'x', sizeof buffer);
    CHECK(zv_field(answer, "long", NULL, 0) == 11, "");
    CHECK(zv_field(answer, "long", NULL, 99) == 11, "");
    CHECK(zv_field(answer, "long", buffer, 10) == 11 && buffer[0] == 'x', buffer);
    CHECK(zv_field(answer, "long", buffer, 11) == 10 && strcmp(buffer, "0123456789") == 0 && buffer[11] == 'x', buffer);
    CHECK(strcmp(field(answer, "cashier"), "\xe6\x89\xa3\xe6\xac\xbe \"x\"") == 0, field(answer, "cashier"));
    CHECK(strcmp(field(answer, "n"), "1.50") == 0, field(answer, "n"));
    CHECK(strcmp(field(answer, "yes"), "true") == 0, "");
    CHECK(strcmp(field(answer, "list"), "[{\"a\":\"b\"},[7]]") == 0, field(answer, "list"));
    CHECK(strcmp(field(answer, "list.0.a"), "b") == 0, "");
    CHECK(strcmp(field(answer, "list.1.0"), "7") == 0, "");
}

/* A capacity beyond half of the memory is no reason to touch it. */
static void absurd_capacity(void)
{
    char buffer[8192], *answer = zv_shutdown();
    size_t length = strlen(answer), taken = zv_take(answer, buffer, (size_t)-1);
    CHECK(taken == length + 1 || taken == length, answer);
    if (taken > length)
        zv_free(answer);
}

int main(int argc, char **argv)
{
    char *answer, *live;
    (void)argc;
    zv_set_log_callback(on_log, NULL, ZV_LOG_TRACE);
    CHECK(zv_abi_version() == ZV_ABI_VERSION, "header and library are of one version");
    CHECK(strchr(zv_version(), '.') && zv_version() == zv_version(), zv_version());
    outcomes();
    fields();
    taking();
    giving_back_what_is_not_ours();
    giving_back_twice();
    absurd_capacity();
    /* The same while the library runs. */
    EXPECT(zv_init(config_for(argv[1])), ZV_SUCCEEDED, "0", "started");
    logged[0] = 0;
    zv_free(argv[1]);
    said("zv_free");
    CHECK(strcmp(logged, "") == 0, logged);
    keeping_little();
    /* What was freed before a shutdown is as dead after it. */
    answer = zv_lookup_json("{}");
    zv_free(answer);
    zv_free(zv_shutdown());
    logged[0] = 0;
    live = zv_lookup_json("{}");
    zv_free(answer);
    said("zv_free");
    CHECK(zv_outcome(live) == ZV_INVALID, live);
    zv_free(live);
    CHECK(logged[0] == 0, logged);
    zv_set_log_callback(NULL, NULL, 0);
    zv_free(argv[1]);
    printf("%d checks\n", checks);
    return 0;
}
