/* A till that passes `zv certify`: what an integrator's own program must keep, store, and do.
 * The certifier plays the cashier: a JSON object a line on stdin, answered by JSON objects on stdout
 * (docs/certify.md). Without a JSON parser: zv_field reads a value out of any JSON object. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "zvpos.h"

#define LINE 8192
#define SALES 256

struct sale {
    char number[65], biz_id[65], journal_id[65], returned[130], state[16], paid[32], request[1024];
};

static struct sale sales[SALES];
static int count, file = -1;
static char till[16], journal_id[65], cashier[512];

/* One value of an answer, or of a line of the certifier. "" if it is not there. */
static char *get(const char *json, const char *path, char *value, size_t size)
{
    if (zv_field(json, path, value, size) >= size || zv_field(json, path, value, size) == 0)
        value[0] = '\0';
    return value;
}

static int is(const char *json, const char *path, const char *word)
{
    char value[64];
    return strcmp(get(json, path, value, sizeof value), word) == 0;
}

/* 1205 of "12.05": money is never a float. */
static long fen(const char *yuan)
{
    long value = strtol(yuan, NULL, 10) * 100;
    const char *point = strchr(yuan, '.');
    if (point && point[1])
        value += (point[1] - '0') * 10 + (point[2] ? point[2] - '0' : 0);
    return value;
}

static struct sale *find(const char *number)
{
    int i;
    for (i = 0; i < count; i++)
        if (strcmp(sales[i].number, number) == 0)
            return &sales[i];
    return NULL;
}

/* The till's own file: a line for each change, on disk when this returns. The last line of a sale counts. */
static void store(const struct sale *sale)
{
    char line[LINE];
    int n = snprintf(line, sizeof line, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", sale->number, sale->biz_id, sale->state,
                     sale->paid, sale->returned[0] ? sale->returned : "-",
                     sale->journal_id[0] ? sale->journal_id : "-", sale->request[0] ? sale->request : "-");
    if (write(file, line, (size_t)n) != n || fsync(file) != 0) {
        perror("sales.txt");
        exit(1); /* a till that cannot store must not sell */
    }
}

static void load(const char *folder)
{
    char path[512], line[LINE];
    struct sale one, *known;
    FILE *in;

    snprintf(path, sizeof path, "%.490s/sales.txt", folder);
    file = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (file < 0 || !(in = fopen(path, "r"))) {
        perror(path);
        exit(1);
    }
    while (fgets(line, sizeof line, in)) { /* what has no end was torn by a crash */
        if (!strchr(line, '\n') || sscanf(line, "%64s %64s %15s %31s %129s %64s %1023[^\n]", one.number, one.biz_id, one.state,
                                          one.paid, one.returned, one.journal_id, one.request) != 7)
            continue;
        known = find(one.number);
        if (!known && count < SALES)
            known = &sales[count++];
        if (known)
            *known = one;
    }
    fclose(in);
    if (write(file, "\n", 1) != 1) /* ends a torn line */
        exit(1);
}

static void show(const struct sale *sale)
{
    printf("{\"sale\":\"%s\",\"bizId\":\"%s\",\"result\":\"%s\",\"paid_by_member\":\"%s\",\"returnedBizId\":\"%s\"}\n",
           sale->number, sale->biz_id, sale->state, sale->paid, sale->returned[0] == '-' ? "" : sale->returned);
}

static void set(struct sale *sale, const char *state)
{
    snprintf(sale->state, sizeof sale->state, "%s", state);
    store(sale);
}

static char *about(char *(ZV_CALL *call)(const char *), const struct sale *sale)
{
    char request[96];
    snprintf(request, sizeof request, "{\"bizId\":\"%s\"}", sale->biz_id);
    return call(request);
}

/* From the library's answer to what becomes of the sale. `next` decides, nothing else. */
static void judge(struct sale *sale, char *answer)
{
    char recharge[32], gift[32];
    long paid;

    fprintf(stderr, "%s: %s\n", sale->number, get(answer, "cashier", cashier, sizeof cashier));
    if (is(answer, "next", "store_then_confirm")) {
        store(sale);
        zv_free(answer);
        answer = about(zv_confirm_json, sale);
    }
    if (is(answer, "next", "complete_sale")) {
        paid = fen(get(answer, "data.change_recharge_amount", recharge, sizeof recharge))
             + fen(get(answer, "data.change_gift_amount", gift, sizeof gift));
        if (!recharge[0]) /* settled by a person, without an answer of the gateway: what was asked for */
            paid = fen(get(sale->request, "amount", recharge, sizeof recharge));
        snprintf(sale->paid, sizeof sale->paid, "%ld.%02ld", paid / 100, paid % 100);
        get(answer, "data.bizId", sale->returned, sizeof sale->returned); /* the vendor reverses by this one */
        set(sale, "completed");
    } else if (is(answer, "next", "retry")) {
        set(sale, "retry"); /* nothing was taken */
    } else if (is(answer, "next", "other_tender") || is(answer, "next", "new_bizid")) {
        set(sale, "other_tender"); /* new_bizid: a corrected sum is a new sale, with a bizId of its own */
    } else if (is(answer, "next", "wait")) {
        set(sale, "waiting");
    } else if (is(answer, "next", "refunded")) {
        set(sale, "refunded"); /* a refund that had waited for a person */
    } else {
        set(sale, "failed"); /* fix_request, stop, lookup: a person */
    }
    zv_free(answer);
}

/* With the identity of the journal: then the library can say that nothing was ever sent, or that it cannot know. */
static char *look_up(const struct sale *sale)
{
    char request[192];
    snprintf(request, sizeof request, "{\"bizId\":\"%s\",\"journal_id\":\"%s\"}", sale->biz_id, sale->journal_id);
    return zv_lookup_json(request);
}

static void look(struct sale *sale)
{
    char *answer = look_up(sale);

    if (strcmp(sale->state, "refunding") != 0) {
        judge(sale, answer);
        return;
    }
    if (is(answer, "next", "refunded"))
        set(sale, "refunded");
    else if (is(answer, "next", "complete_sale"))
        set(sale, "completed"); /* the gateway has refused, and the sale stands */
    else if (is(answer, "next", "wait"))
        set(sale, "waiting"); /* a person; everything else is on its way */
    zv_free(answer);
}

static int unsure(const struct sale *sale)
{
    return !strcmp(sale->state, "attempt") || !strcmp(sale->state, "waiting") || !strcmp(sale->state, "refunding");
}

static void start(const char *line)
{
    char config[4096], folder[512], path[64], biz_id[65], *answer;
    int i, k, ours;

    get(line, "till", till, sizeof till);
    load(get(line, "folder", folder, sizeof folder));
    answer = zv_init(get(line, "config", config, sizeof config));
    if (zv_outcome(answer) != ZV_SUCCEEDED)
        fprintf(stderr, "%s\n", answer);
    get(answer, "data.journal_id", journal_id, sizeof journal_id);
    for (i = 0; i < count; i++) /* what a crash has left, or nobody knew */
        if (unsure(&sales[i]))
            look(&sales[i]);
    for (i = 0; ; i++) { /* taken before a crash, and perhaps for a sale that this till has lost: a person must see it */
        snprintf(path, sizeof path, "data.unacknowledged.%d", i);
        if (!*get(answer, path, biz_id, sizeof biz_id))
            break;
        for (ours = 0, k = 0; k < count; k++)
            ours = ours || strcmp(sales[k].biz_id, biz_id) == 0;
        if (!ours)
            printf("{\"note\":\"taken, but no sale of this till\",\"bizId\":\"%s\"}\n", biz_id);
    }
    zv_free(answer);
}

/* What is to be taken: with a basket less what the coupon is worth. 0 if the quote did not say that. */
static int make_request(struct sale *sale, const char *line)
{
    char member[65], amount[32], coupons[512], coupon[65], points[16], items[1024], quote[2048], off[32], *answer;
    size_t n;
    long rest;

    get(line, "customerId", member, sizeof member);
    get(line, "amount", amount, sizeof amount);
    get(line, "coupons", coupons, sizeof coupons);
    if (*get(line, "items", items, sizeof items)) {
        snprintf(quote, sizeof quote, "{\"user_coupon_id\":\"%s\",\"user_id\":\"%s\",\"items\":%s,\"usage_scenarios\":1}",
                 get(line, "coupons.0", coupon, sizeof coupon), member, items);
        answer = zv_coupon_quote_json(quote);
        if (zv_outcome(answer) != ZV_SUCCEEDED) {
            set(sale, is(answer, "next", "retry") ? "retry" : "other_tender");
            zv_free(answer);
            return 0;
        }
        rest = fen(amount) - fen(get(answer, "data.coupon_discount", off, sizeof off));
        snprintf(amount, sizeof amount, "%ld.%02ld", rest / 100, rest % 100);
        zv_free(answer);
    }
    n = (size_t)snprintf(sale->request, sizeof sale->request, "{\"bizId\":\"%s\",\"customerId\":\"%s\"", sale->biz_id, member);
    if (amount[0])
        n += (size_t)snprintf(sale->request + n, sizeof sale->request - n, ",\"amount\":\"%s\"", amount);
    if (coupons[0])
        n += (size_t)snprintf(sale->request + n, sizeof sale->request - n, ",\"couponsCardList\":%s", coupons);
    if (*get(line, "points", points, sizeof points))
        n += (size_t)snprintf(sale->request + n, sizeof sale->request - n, ",\"points\":%s", points);
    snprintf(sale->request + n, sizeof sale->request - n, "}");
    return 1;
}

static void sell(const char *line)
{
    char number[65];
    struct sale *sale = find(get(line, "sale", number, sizeof number));

    if (!sale && count == SALES)
        return;
    if (!sale) { /* the bizId: made once, unique over all tills, and kept with the sale */
        sale = &sales[count++];
        snprintf(sale->number, sizeof sale->number, "%s", number);
        snprintf(sale->biz_id, sizeof sale->biz_id, "%.15s-%.48s", till, number);
        strcpy(sale->state, "retry");
        strcpy(sale->paid, "0.00");
    }
    if (!strcmp(sale->state, "waiting")) {
        look(sale);
    } else if (!strcmp(sale->state, "retry") && (sale->request[0] == '{' || make_request(sale, line))) {
        memcpy(sale->journal_id, journal_id, sizeof sale->journal_id);
        set(sale, "attempt"); /* on disk before the call: after a crash there is a bizId to look up, and with which journal */
        judge(sale, zv_consume_json(sale->request));
    }
    show(sale);
}

static void undo(const char *line)
{
    char number[65], *answer;
    struct sale *sale = find(get(line, "sale", number, sizeof number));

    if (sale && !strcmp(sale->state, "completed")) {
        set(sale, "refunding");
        answer = about(zv_reverse_json, sale);
        if (zv_outcome(answer) == ZV_REVERSED)
            set(sale, "refunded");
        else if (zv_outcome(answer) != ZV_UNKNOWN) /* unknown goes on by itself; everything else still stands */
            set(sale, "completed");
        zv_free(answer);
    }
    if (sale)
        show(sale);
}

static void list(void)
{
    int i;
    for (i = 0; i < count; i++) {
        if (unsure(&sales[i]))
            look(&sales[i]);
        show(&sales[i]);
    }
}

/* Both ways: what was taken the till has completed, and what the till has completed was taken. */
static void day(const char *line)
{
    char date[16], request[64], path[64], biz_id[65], *answer;
    int i, k, taken[SALES] = {0}, completed;

    snprintf(request, sizeof request, "{\"day\":\"%s\"}", get(line, "day", date, sizeof date));
    answer = zv_pending_json(request);
    for (i = 0; ; i++) {
        snprintf(path, sizeof path, "data.entries.%d.entry.bizId", i);
        if (!*get(answer, path, biz_id, sizeof biz_id))
            break;
        snprintf(path, sizeof path, "data.entries.%d.entry.stage", i);
        if (!is(answer, path, "succeeded") && !is(answer, path, "kept"))
            continue;
        for (k = 0; k < count && strcmp(sales[k].biz_id, biz_id) != 0; k++)
            ;
        if (k < count)
            taken[k] = 1;
        else
            printf("{\"difference\":\"%s\"}\n", biz_id);
    }
    zv_free(answer);
    for (k = 0; k < count; k++) {
        completed = strcmp(sales[k].state, "completed") == 0;
        if (completed != taken[k])
            printf("{\"difference\":\"%s\"}\n", sales[k].biz_id);
    }
}

int main(void)
{
    static char line[LINE];
    char verb[16] = "";

    while (strcmp(verb, "stop") != 0 && fgets(line, sizeof line, stdin)) {
        get(line, "do", verb, sizeof verb);
        if (!strcmp(verb, "start")) start(line);
        else if (!strcmp(verb, "sell")) sell(line);
        else if (!strcmp(verb, "refund")) undo(line);
        else if (!strcmp(verb, "list")) list();
        else if (!strcmp(verb, "day")) day(line);
        else if (!strcmp(verb, "stop")) zv_free(zv_shutdown());
        printf("{\"done\":\"%s\"}\n", verb);
        fflush(stdout);
    }
    return 0;
}
