/* The log callback: what it gets, what it may not do, and when it is gone. Usage: log ENDPOINT */
#include <pthread.h>
#include <unistd.h>
#include "check.h"

static char logged[65536];
static int worst, calls;
static volatile int inside;

static void note(int32_t level, const char *message, void *user_data)
{
    size_t length = strlen(logged);
    *(int *)user_data += 1;
    if (level > worst)
        worst = level;
    snprintf(logged + length, sizeof logged - length, "%d %s\n", (int)level, message);
}

static void forget(void)
{
    logged[0] = 0;
    worst = calls = 0;
}

/* A wrong free is an error line, and works without zv_init. */
static void provoke(void)
{
    char nothing;
    zv_free(&nothing);
}

static void before_init_and_levels(const char *endpoint)
{
    provoke(); /* Nobody listens. */
    zv_set_log_callback(note, &calls, ZV_LOG_ERROR);
    provoke();
    CHECK(calls == 1 && worst == ZV_LOG_ERROR && strstr(logged, "ZV-FREE"), logged);
    forget();
    zv_free(zv_init(config_for(endpoint)));
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    CHECK(calls == 0, logged);
    zv_set_log_callback(note, &calls, ZV_LOG_INFO);
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    CHECK(calls == 1 && worst == ZV_LOG_INFO && strstr(logged, "quote: succeeded 0"), logged);
    zv_set_log_callback(note, &calls, ZV_LOG_OFF);
    provoke();
    zv_set_log_callback(note, &calls, -7);
    provoke();
    CHECK(calls == 1, logged);
    zv_set_log_callback(note, &calls, 99);
    provoke();
    CHECK(calls == 2, logged);
    zv_set_log_callback(NULL, NULL, ZV_LOG_TRACE);
    provoke();
    CHECK(calls == 2, logged);
    forget();
}

/* Keys and phone numbers do not reach the log; line ends do not break it. */
static void redaction(void)
{
    zv_set_log_callback(note, &calls, ZV_LOG_TRACE);
    zv_free(zv_consume_json("{\"bizId\":\"T1\",\"customerId\":\"13812345678\",\"amount\":\"1.00\"}"));
    zv_free(zv_call_json("fake-open-key-for-test-only-0001\n13812345678", "{}"));
    zv_free(zv_call_json("member_lookup", "{\"identifierNumber\":\"13812345678\",\"type\":2}"));
    CHECK(calls > 0, logged);
    CHECK(!strstr(logged, "fake-open-key-for-test-only-0001"), logged);
    CHECK(!strstr(logged, "13812345678"), logged);
    zv_set_log_callback(NULL, NULL, 0);
    forget();
}

static void call_back_in(int32_t level, const char *message, void *user_data)
{
    char buffer[64];
    (void)level;
    (void)message;
    *(int *)user_data += 1;
    EXPECT(zv_init("{}"), ZV_INVALID, "ZV-REENTRANT", "log callback");
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_INVALID, "ZV-REENTRANT", "");
    EXPECT(zv_consume_json(QUOTE), ZV_INVALID, "ZV-REENTRANT", "");
    EXPECT(zv_call_json("member_lookup", "{}"), ZV_INVALID, "ZV-REENTRANT", "");
    EXPECT(zv_call_json("zvpos.panic", "{}"), ZV_INVALID, "ZV-REENTRANT", "");
    EXPECT(zv_shutdown(), ZV_INVALID, "ZV-REENTRANT", "");
    zv_set_log_callback(NULL, NULL, 0); /* Does nothing here. */
    zv_free(buffer);
}

static void reentrancy(void)
{
    zv_set_log_callback(call_back_in, &calls, ZV_LOG_TRACE);
    provoke();
    CHECK(calls == 1, "once");
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    CHECK(calls > 1, "it is still set");
    zv_set_log_callback(NULL, NULL, 0);
    forget();
    provoke();
    CHECK(calls == 0, "it is gone");
}

static void slow(int32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    (void)user_data;
    inside = 1;
    usleep(300000);
    inside = 0;
}

static void *provoke_on_thread(void *unused)
{
    provoke();
    return unused;
}

/* Taking it away returns only when none is running, so that a host may then free what it points to. */
static void taking_it_away_waits(void)
{
    pthread_t thread;
    zv_set_log_callback(slow, NULL, ZV_LOG_TRACE);
    pthread_create(&thread, NULL, provoke_on_thread, NULL);
    while (!inside)
        usleep(1000);
    zv_set_log_callback(NULL, NULL, 0);
    CHECK(!inside, "it was still running");
    pthread_join(thread, NULL);
}

static void a_panic_is_said_to_the_callback_only(void)
{
    zv_set_log_callback(note, &calls, ZV_LOG_ERROR);
    EXPECT(zv_call_json("zvpos.panic", "{}"), ZV_INTERNAL, "ZV-PANIC", "defect");
    CHECK(strstr(logged, "ZV-PANIC at ") && strstr(logged, ".rs:"), logged);
    CHECK(strchr(logged, '\n') == logged + strlen(logged) - 1, logged);
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    zv_set_log_callback(NULL, NULL, 0);
    forget();
}

int main(int argc, char **argv)
{
    (void)argc;
    before_init_and_levels(argv[1]);
    redaction();
    reentrancy();
    taking_it_away_waits();
    a_panic_is_said_to_the_callback_only();
    zv_free(zv_shutdown());
    printf("%d checks\n", checks);
    return 0;
}
