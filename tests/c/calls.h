/* What the programs share that call the library as lines say. */
#ifndef CALLS_H
#define CALLS_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "zvpos.h"

/* The smallest stack that is promised. */
#define STACK (256 * 1024)

/* The part behind the first space of `line`, which ends there. */
static char *split(char *line)
{
    char *space = strchr(line, ' ');
    if (!space)
        return line + strlen(line);
    *space = 0;
    return space + 1;
}

/* Calls the function that `line` names. Takes `line` apart. */
static char *call(char *line)
{
    char *rest = split(line), *params;
    if (!strcmp(line, "init"))
        return zv_init(rest);
    if (!strcmp(line, "quote"))
        return zv_coupon_quote_json(rest);
    if (!strcmp(line, "consume"))
        return zv_consume_json(rest);
    if (!strcmp(line, "reverse"))
        return zv_reverse_json(rest);
    if (!strcmp(line, "lookup"))
        return zv_lookup_json(rest);
    if (!strcmp(line, "confirm"))
        return zv_confirm_json(rest);
    if (!strcmp(line, "settle"))
        return zv_settle_json(rest);
    if (!strcmp(line, "pending"))
        return zv_pending_json(*rest ? rest : NULL);
    if (!strcmp(line, "recover"))
        return zv_recover_json(*rest ? rest : NULL);
    if (!strcmp(line, "biz_id"))
        return zv_biz_id();
    if (!strcmp(line, "shutdown"))
        return zv_shutdown();
    if (!strcmp(line, "start")) {
        params = split(rest);
        return zv_start_json(rest, params);
    }
    if (!strcmp(line, "poll"))
        return zv_poll_json(rest);
    if (!strcmp(line, "call")) {
        params = split(rest);
        return zv_call_json(rest, params);
    }
    fprintf(stderr, "no command %s\n", line);
    exit(2);
}

static pthread_t start(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK)
        || pthread_create(&thread, &attributes, function, argument))
        abort();
    pthread_attr_destroy(&attributes);
    return thread;
}

#endif
