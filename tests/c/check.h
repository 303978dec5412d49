/* What the C programs of the tests share. A check that fails says where, and the program ends with 1. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "here.h"
#include "zvpos.h"

static int checks;

#define CHECK(condition, text)                                                                    \
    do {                                                                                          \
        checks++;                                                                                 \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: %s\n  %s\n", __FILE__, __LINE__, #condition, (text));         \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

/* The field of an answer in one of four buffers that are used in turn. */
static const char *field(const char *answer, const char *path)
{
    static char buffers[4][4096];
    static int turn;
    char *buffer = buffers[turn++ % 4];
    if (!zv_field(answer, path, buffer, sizeof buffers[0]))
        buffer[0] = 0;
    return buffer;
}

/* Checks the outcome and code of an answer, that it is whole, and that its message holds a text; frees it. */
static void expect_at(int line, char *answer, int outcome, const char *code, const char *says)
{
    const char *place = strrchr(__FILE__, '/');
    checks++;
    if (!answer || zv_outcome(answer) != outcome || strcmp(field(answer, "code"), code) != 0
        || !strstr(field(answer, "message"), says) || !*field(answer, "next")) {
        fprintf(stderr, "%s, called from line %d: expected %d %s \"%s\", got\n  %s\n", place ? place : __FILE__, line,
                outcome, code, says, answer ? answer : "NULL");
        exit(1);
    }
    zv_free(answer);
}

#define EXPECT(answer, outcome, code, says) expect_at(__LINE__, answer, outcome, code, says)

/* A configuration with the made-up credentials of the simulator. */
__attribute__((unused)) static const char *config_for(const char *endpoint)
{
    static char config[2048];
    snprintf(config, sizeof config,
             "{\"openId\":\"fake-open-id-for-test-only-0001\",\"grantCode\":\"fake-grant-code-0001\","
             "\"openKey\":\"fake-open-key-for-test-only-0001\",\"endpoint\":\"%s\","
             "\"journal\":\"%s/journal.db\",\"guard\":\"off\"}", endpoint, here());
    return config;
}

#define QUOTE                                                                                      \
    "{\"user_coupon_id\":\"390962138708451328\",\"user_id\":\"383933091455959041\","              \
    "\"items\":[{\"num\":1,\"trade_mark\":\"1\",\"price\":\"28.00\"}]}"

#endif
