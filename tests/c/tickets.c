/* Calls that do not block. Usage: tickets ENDPOINT */
#include <unistd.h>
#include "check.h"

#define MOST 64

static void start(const char *operation, const char *request, char ticket[32])
{
    char *answer = zv_start_json(operation, request);
    CHECK(zv_outcome(answer) == ZV_RUNNING && !strcmp(field(answer, "next"), "poll"), answer);
    snprintf(ticket, 32, "%s", field(answer, "data.ticket"));
    CHECK(*ticket, answer);
    zv_free(answer);
}

static char *finish(const char *ticket)
{
    int i;
    for (i = 0; i < 6000; i++) {
        char *answer = zv_poll_json(ticket);
        if (zv_outcome(answer) != ZV_RUNNING)
            return answer;
        zv_free(answer);
        usleep(5000);
    }
    return zv_poll_json(ticket);
}

int main(int argc, char **argv)
{
    char ticket[MOST][32], first[32], request[256], *answer;
    int i, refused;
    (void)argc;

    EXPECT(zv_start_json("consume", "{}"), ZV_INVALID, "ZV-NOT-INIT", "");
    EXPECT(zv_poll_json("1"), ZV_UNKNOWN, "ZV-NOT-INIT", "");
    EXPECT(zv_init(config_for(argv[1])), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_start_json(NULL, "{}"), ZV_INVALID, "ZV-NULL", "operation");
    EXPECT(zv_start_json("consume", NULL), ZV_INVALID, "ZV-NULL", "request_json");
    EXPECT(zv_poll_json(NULL), ZV_INVALID, "ZV-NULL", "ticket");
    EXPECT(zv_start_json("pay", "{}"), ZV_INVALID, "ZV-REQUEST", "operation");
    /* Of the call that a ticket stood for nothing is known: `invalid` would say that it took nothing. */
    EXPECT(zv_poll_json("x"), ZV_UNKNOWN, "ZV-NO-TICKET", "\"x\"");
    EXPECT(zv_poll_json("-1"), ZV_UNKNOWN, "ZV-NO-TICKET", "");

    /* The answer comes once, and is the one that the function itself gives. */
    start("coupon_quote", QUOTE, first);
    answer = finish(first);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED && *field(answer, "data.coupon_discount"), answer);
    zv_free(answer);
    EXPECT(zv_poll_json(first), ZV_UNKNOWN, "ZV-NO-TICKET", first);
    start("call:member_lookup", "{\"identifierNumber\":\"383933091455959041\",\"type\":1}", ticket[0]);
    EXPECT(finish(ticket[0]), ZV_SUCCEEDED, "0", "");
    start("consume", "{}", ticket[0]);
    EXPECT(finish(ticket[0]), ZV_INVALID, "ZV-REQUEST", "");
    start("pending", "{}", ticket[0]);
    EXPECT(finish(ticket[0]), ZV_SUCCEEDED, "0", "");

    /* As many as there may be, and one more, which sends nothing. */
    for (i = 0; i < MOST; i++) {
        snprintf(request, sizeof request, "{\"bizId\":\"K-%d\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\"}", i);
        start("consume", request, ticket[i]);
    }
    EXPECT(zv_start_json("consume", "{\"bizId\":\"K-64\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\"}"),
           ZV_NOT_SENT, "ZV-TICKETS", "64");
    for (i = 0; i < MOST - 1; i++)
        EXPECT(finish(ticket[i]), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_lookup_json("{\"bizId\":\"K-64\"}"), ZV_INVALID, "ZV-NOT-FOUND", "");

    /* What is not fetched goes with the shutdown; the payment stands in the journal. */
    answer = finish("0");
    refused = zv_outcome(answer) == ZV_UNKNOWN;
    zv_free(answer);
    CHECK(refused, "there is no ticket 0");
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    answer = zv_poll_json(ticket[MOST - 1]);
    CHECK(zv_outcome(answer) == ZV_UNKNOWN && !strcmp(field(answer, "code"), "ZV-SHUT-DOWN"), answer);
    CHECK(!strcmp(field(answer, "next"), "wait"), answer);
    CHECK(!strcmp(field(answer, "cashier"), "\xe7\xbb\x93\xe6\x9e\x9c\xe6\x9c\xaa\xe7\x9f\xa5\xef\xbc\x8c"
          "\xe8\xaf\xb7\xe5\x8b\xbf\xe9\x87\x8d\xe5\xa4\x8d\xe6\x89\xa3\xe6\xac\xbe\xef\xbc\x8c"
          "\xe7\xad\x89\xe5\xbe\x85\xe6\xa0\xb8\xe5\xae\x9e"), answer);
    zv_free(answer);
    EXPECT(zv_init(config_for(argv[1])), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_lookup_json("{\"bizId\":\"K-63\"}"), ZV_SUCCEEDED, "0", "");

    /* A ticket from before the shutdown never gives the answer of another call. */
    start("consume", "{\"bizId\":\"K-65\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\"}", ticket[0]);
    EXPECT(finish(first), ZV_UNKNOWN, "ZV-NO-TICKET", first);
    EXPECT(finish(ticket[0]), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    printf("%d checks\n", checks);
    return 0;
}
