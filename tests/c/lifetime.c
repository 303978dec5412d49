/* From before zv_init to after zv_shutdown, and everything at once from 64 threads. Usage: lifetime ENDPOINT */
#include <pthread.h>
#include <unistd.h>
#include "check.h"

#define THREADS 64
#define ROUNDS 40

#define SALE(biz_id) "{\"bizId\":\"" biz_id "\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\"}"

static const char *endpoint;

static void all_refuse(const char *code)
{
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_INVALID, code, "");
    EXPECT(zv_consume_json(SALE("N1")), ZV_INVALID, code, "");
    EXPECT(zv_call_json("member_lookup", "{}"), ZV_INVALID, code, "");
    EXPECT(zv_call_json("zvpos.panic", "{}"), ZV_INVALID, code, "");
    EXPECT(zv_shutdown(), ZV_INVALID, code, "");
}

static void starting_and_stopping(void)
{
    char other[2048], *answer;
    all_refuse("ZV-NOT-INIT");
    /* A start that failed is none. */
    EXPECT(zv_init("{}"), ZV_INVALID, "ZV-CONFIG", "openId");
    all_refuse("ZV-NOT-INIT");

    answer = zv_init(config_for(endpoint));
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED && strcmp(field(answer, "already"), "false") == 0, answer);
    zv_free(answer);
    /* The same, written otherwise. */
    snprintf(other, sizeof other, " \n%s ", config_for(endpoint));
    answer = zv_init(other);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED && strcmp(field(answer, "already"), "true") == 0, answer);
    zv_free(answer);
    /* Another one is refused, and the old one stays. */
    EXPECT(zv_init(config_for("http://127.0.0.1:1/other")), ZV_INVALID, "ZV-OTHER-CONFIG", "");
    EXPECT(zv_init("{\"openId\":1}"), ZV_INVALID, "ZV-CONFIG", "");
    EXPECT(zv_init("{"), ZV_INVALID, "ZV-UTF16", "");
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");

    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "stopped");
    all_refuse("ZV-SHUT-DOWN");
    /* Anew, with another one. */
    EXPECT(zv_init(config_for("http://127.0.0.1:1/other")), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_NOT_SENT, "ZV-CONNECT", "");
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_init(config_for(endpoint)), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
}

static void *consume(void *request)
{
    return zv_consume_json(request);
}

/* A stop waits for what is under way, refuses what comes, and cuts nothing off. */
static void stopping_during_a_call(void)
{
    pthread_t thread;
    char slow[] = SALE("S1~late_answer:500"), *answer;
    void *result;
    pthread_create(&thread, NULL, consume, slow);
    usleep(150000);
    answer = zv_shutdown();
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED && strcmp(field(answer, "data.still_running"), "[]") == 0, answer);
    zv_free(answer);
    pthread_join(thread, &result);
    EXPECT(result, ZV_SUCCEEDED, "0", "");
    all_refuse("ZV-SHUT-DOWN");
}

/* The answer is whole and one that the function may give at any time. */
static void one_of(char *answer, const char *outcomes)
{
    int outcome = zv_outcome(answer);
    char digit[2] = {0, 0};
    digit[0] = (char)('0' + outcome);
    if (outcome < 0 || !strstr(outcomes, digit)) {
        fprintf(stderr, "expected one of %s, got %s\n", outcomes, answer);
        abort();
    }
    zv_free(answer);
}

static void quiet(int32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    (void)user_data;
}

/* rand_r, which Windows does not have. */
static unsigned int next(unsigned int *random)
{
    *random = *random * 1103515245u + 12345u;
    return *random >> 16;
}

static void *anything(void *seed)
{
    unsigned int random = (unsigned int)(size_t)seed;
    char request[256], config[2048], buffer[32];
    int round;
    /* config_for has one buffer for all. */
    snprintf(config, sizeof config,
             "{\"openId\":\"fake-open-id-for-test-only-0001\",\"grantCode\":\"fake-grant-code-0001\","
             "\"openKey\":\"fake-open-key-for-test-only-0001\",\"endpoint\":\"%s\","
             "\"journal\":\"%s/journal.db\",\"guard\":\"off\"}", endpoint, here());
    for (round = 0; round < ROUNDS; round++) {
        switch (next(&random) % 12) {
        case 0: case 1: one_of(zv_init(config), "02"); break;
        case 2: one_of(zv_shutdown(), "02"); break;
        case 3: case 4: one_of(zv_coupon_quote_json(QUOTE), "023"); break;
        case 5: case 6: case 7:
            snprintf(request, sizeof request,
                     "{\"bizId\":\"L-%lu-%d\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\"}",
                     (unsigned long)(size_t)seed, round);
            one_of(zv_consume_json(request), "023");
            break;
        case 8: one_of(zv_call_json("zvpos.panic", "{}"), "25"); break;
        case 9: zv_set_log_callback(next(&random) % 2 ? quiet : NULL, NULL, ZV_LOG_TRACE); break;
        case 10: zv_free(buffer); break;
        default: zv_field(zv_version(), "code", buffer, sizeof buffer); break;
        }
    }
    return NULL;
}

static void everything_at_once(void)
{
    pthread_t threads[THREADS];
    size_t i;
    for (i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, anything, (void *)(i + 1)))
            exit(1);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    zv_free(zv_init(config_for(endpoint)));
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    zv_set_log_callback(NULL, NULL, 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    endpoint = argv[1];
    starting_and_stopping();
    stopping_during_a_call();
    everything_at_once();
    printf("%d checks\n", checks);
    return 0;
}
