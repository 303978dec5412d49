/* The stdcall twins, as VB6 calls them: 100,000 calls, after each of which the stack pointer is where it was, and a
 * sale. 32-bit Windows only. Usage: stdcall ENDPOINT */
#include <windows.h>
#include "check.h"

#define ROUNDS 5000

/* Calls a function with four words of 0 on the stack; how many bytes of them it took off. */
static int taken_off(FARPROC function)
{
    int before, after;
    __asm__ volatile("movl %%esp, %%esi\n\t"
                     "pushl $0\n\tpushl $0\n\tpushl $0\n\tpushl $0\n\t"
                     "movl %%esp, %0\n\t"
                     "call *%2\n\t"
                     "movl %%esp, %1\n\t"
                     "movl %%esi, %%esp"
                     : "=&D"(before), "=&b"(after), "+a"(function)
                     :
                     : "ecx", "edx", "esi", "memory", "cc");
    return after - before;
}

static const struct {
    const char *name;
    int bytes;
} TWINS[] = {
    {"zvs_init", 4},          {"zvs_coupon_quote_json", 4}, {"zvs_consume_json", 4},     {"zvs_reverse_json", 4},
    {"zvs_lookup_json", 4},   {"zvs_pending_json", 4},      {"zvs_recover_json", 4},     {"zvs_confirm_json", 4},
    {"zvs_settle_json", 4},   {"zvs_call_json", 8},         {"zvs_start_json", 8},       {"zvs_poll_json", 4},
    {"zvs_biz_id", 0},        {"zvs_shutdown", 0},          {"zvs_outcome", 4},          {"zvs_field", 16},
    {"zvs_take", 12},         {"zvs_free", 4},              {"zvs_set_log_callback", 12}, {"zvs_version", 0},
    {"zvs_abi_version", 0},
};

/* By the very names that a Declare or a #导入 says, and so do the cdecl ones, which take nothing off. */
static void every_twin_takes_its_arguments_off(void)
{
    HMODULE library = GetModuleHandleA("zvpos.dll");
    size_t i;
    CHECK(library, "zvpos.dll");
    for (i = 0; i < sizeof TWINS / sizeof *TWINS; i++) {
        char plain[64];
        FARPROC twin = GetProcAddress(library, TWINS[i].name), function;
        snprintf(plain, sizeof plain, "zv_%s", TWINS[i].name + 4);
        function = GetProcAddress(library, plain);
        CHECK(twin && function && twin != function, TWINS[i].name);
        /* NULL is harmless to all of them. */
        CHECK(taken_off(twin) == TWINS[i].bytes, TWINS[i].name);
        CHECK(taken_off(function) == 0, plain);
    }
}

static volatile LONG lines;

static void __stdcall note(int32_t level, const char *message, void *user_data)
{
    if (level >= ZV_LOG_ERROR && *message && user_data == &lines)
        InterlockedIncrement(&lines);
}

/* Twenty calls a round, each compiled as a stdcall one. */
static void round_of_all(void)
{
    char buffer[64], *answer;
    CHECK(zvs_abi_version() == ZV_ABI_VERSION && zvs_version() == zv_version(), "versions");
    answer = zvs_consume_json(NULL);
    CHECK(zvs_outcome(answer) == ZV_INVALID, answer);
    CHECK(zvs_field(answer, "outcome", buffer, sizeof buffer) == 7 && !strcmp(buffer, "invalid"), buffer);
    CHECK(zvs_take(answer, buffer, 1) > 1, buffer);
    zvs_free(answer);
    zvs_set_log_callback(note, (void *)&lines, ZV_LOG_ERROR);
    zvs_free(buffer); /* Not ours: a line in the log. */
    zvs_set_log_callback(NULL, NULL, ZV_LOG_OFF);
    zvs_free(zvs_coupon_quote_json(NULL));
    zvs_free(zvs_lookup_json(NULL));
    zvs_free(zvs_call_json(NULL, NULL));
    zvs_free(zvs_start_json(NULL, NULL));
    zvs_free(zvs_poll_json(NULL));
}

static int stack_pointer(void)
{
    int here;
    __asm__ volatile("movl %%esp, %0" : "=r"(here));
    return here;
}

static void many_calls(void)
{
    int i, before = stack_pointer();
    lines = 0;
    for (i = 0; i < ROUNDS; i++) {
        round_of_all();
        if (stack_pointer() != before) {
            fprintf(stderr, "round %d: the stack pointer moved by %d\n", i, stack_pointer() - before);
            exit(1);
        }
    }
    CHECK(lines == ROUNDS, "one line in the log a round");
}

static void a_sale(const char *endpoint)
{
    char *answer = zvs_init(config_for(endpoint)), buffer[4096];
    CHECK(zvs_outcome(answer) == ZV_SUCCEEDED, answer);
    zvs_free(answer);
    answer = zvs_coupon_quote_json(QUOTE);
    CHECK(zvs_outcome(answer) == ZV_SUCCEEDED && !strcmp(field(answer, "data.coupon_discount"), "5.00"), answer);
    zvs_free(answer);
    answer = zvs_consume_json("{\"bizId\":\"W-1\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\"}");
    CHECK(zvs_outcome(answer) == ZV_SUCCEEDED, answer);
    CHECK(zvs_take(answer, buffer, sizeof buffer) == strlen(buffer), buffer);
    CHECK(zv_outcome(buffer) == ZV_SUCCEEDED, buffer);
    EXPECT(zvs_shutdown(), ZV_SUCCEEDED, "0", "stopped");
}

int main(int argc, char **argv)
{
    (void)argc;
    every_twin_takes_its_arguments_off();
    many_calls();
    a_sale(argv[1]);
    printf("%d checks\n", checks);
    return 0;
}
