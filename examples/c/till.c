/* A till in C: quote a coupon, take payments, and do the one right thing after every outcome.
 * Usage: till http://127.0.0.1:8080/api/v2 JOURNAL [suffix of the last bizId, which picks a fault of the simulator] */
#include <stdio.h>
#include <time.h>
#include "zvpos.h"

#define MEMBER "383933091455959041"
#define CONFIG "{\"openId\":\"fake-open-id-for-test-only-0001\",\"grantCode\":\"fake-grant-code-0001\"," \
    "\"openKey\":\"fake-open-key-for-test-only-0001\",\"endpoint\":\"%s\",\"journal\":\"%s\"," \
    "\"late_arrival_ms\":1000,\"routes\":{\"reverse\":{\"action\":\"sandbox.consume-reverse\"," \
    "\"codes\":{\"already\":[\"920002\"],\"not_found\":[\"920001\"]}}}}"

/* Prints what the person at the till reads, gives the answer back, and returns its outcome. */
static int show(const char *what, char *answer)
{
    char cashier[256] = "", code[64] = "", value[64] = "";
    int outcome = zv_outcome(answer);

    zv_field(answer, "cashier", cashier, sizeof cashier);
    zv_field(answer, "code", code, sizeof code);
    if (!zv_field(answer, "data.coupon_discount", value, sizeof value))
        zv_field(answer, "data.total_amount", value, sizeof value);
    printf("%-28s outcome %d  code %-8s %s %s\n", what, outcome, code, value, cashier);
    fflush(stdout);
    zv_free(answer);
    return outcome;
}

/* Takes an amount, and a coupon, from a member. Only ZV_SUCCEEDED completes the sale. */
static int pay(const char *what, const char *biz_id, const char *member, const char *coupons, const char *amount)
{
    char request[512];
    snprintf(request, sizeof request,
             "{\"bizId\":\"%s\",\"customerId\":\"%s\",\"couponsCardList\":[%s],\"amount\":\"%s\"}",
             biz_id, member, coupons, amount);
    return show(what, zv_consume_json(request));
}

int main(int argc, char **argv)
{
    char config[1024], biz_id[3][64];
    int i;

    snprintf(config, sizeof config, CONFIG, argc > 1 ? argv[1] : "http://127.0.0.1:8080/api/v2",
             argc > 2 ? argv[2] : "/var/tmp/zvpos/till.db"); /* an absolute path: one journal, wherever it is started */
    if (show("start", zv_init(config)) != ZV_SUCCEEDED)
        return 1;
    for (i = 0; i < 3; i++) /* A bizId is unique over all tills: device, time, number. */
        snprintf(biz_id[i], sizeof biz_id[i], "T1-%ld-%d%s", (long)time(NULL), i, i == 2 && argc > 3 ? argv[3] : "");

    show("quote: coupon on the basket", zv_coupon_quote_json(
        "{\"user_coupon_id\":\"390962138708451328\",\"user_id\":\"" MEMBER "\","
        "\"items\":[{\"num\":1,\"trade_mark\":\"201909280011111\",\"price\":\"28.00\"}]}"));
    pay("pay: coupon and 23.00", biz_id[0], MEMBER, "\"390962138708451328\"", "23.00");
    pay("pay: the same sale again", biz_id[0], MEMBER, "\"390962138708451328\"", "23.00");
    pay("pay: 500.00 of 8.50", biz_id[1], "383933091455959042", "", "500.00");
    pay("pay: the answer gets lost", biz_id[2], MEMBER, "", "10.00");
    return show("stop", zv_shutdown()) == ZV_SUCCEEDED ? 0 : 1;
}
