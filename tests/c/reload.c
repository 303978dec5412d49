/* Loads the library, uses it, unloads it, goes on, and loads it again: what a plug-in host does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "here.h"
#include "zvpos.h"

#ifdef _WIN32
#include <windows.h>
#define dlopen(path, flags) ((void *)LoadLibraryA(path))
#define dlclose(handle) (!FreeLibrary(handle))
#define dlerror() "LoadLibrary failed"
static void *dlsym(void *handle, const char *name)
{
    FARPROC found = GetProcAddress(handle, name);
    void *symbol;
    memcpy(&symbol, &found, sizeof symbol);
    return symbol;
}
#define STILL_THERE(path) (GetModuleHandleA(path) != NULL)
#else
#include <dlfcn.h>
#define STILL_THERE(path) (dlopen(path, RTLD_NOW | RTLD_NOLOAD) != NULL)
#endif

/* C99 has no cast from a pointer to data to one to a function; POSIX says that copying works. */
#define LOOK_UP(handle, pointer, name)                                    \
    do {                                                                  \
        void *symbol = dlsym(handle, name);                               \
        if (!symbol) {                                                    \
            fprintf(stderr, "%s is missing\n", name);                     \
            return 1;                                                     \
        }                                                                 \
        memcpy(&(pointer), &symbol, sizeof symbol);                       \
    } while (0)

static int use(const char *path, int round)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    char *(*init)(const char *), *(*quote)(const char *), *(*stop)(void);
    void (*give_back)(char *);
    int32_t (*outcome)(const char *);
    char config[1024], *answer;
    if (!handle) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    LOOK_UP(handle, init, "zv_init");
    LOOK_UP(handle, quote, "zv_coupon_quote_json");
    LOOK_UP(handle, stop, "zv_shutdown");
    LOOK_UP(handle, give_back, "zv_free");
    LOOK_UP(handle, outcome, "zv_outcome");
    /* A name that must be looked up, so that the library has had a thread of its own. */
    snprintf(config, sizeof config,
             "{\"openId\":\"a\",\"grantCode\":\"b\",\"openKey\":\"c\",\"endpoint\":\"http://localhost:1/x\","
             "\"journal\":\"%s/journal.db\"}", here());
    answer = init(config);
    if (outcome(answer) != ZV_SUCCEEDED) {
        fprintf(stderr, "round %d: %s\n", round, answer);
        return 1;
    }
    give_back(answer);
    answer = quote("{\"user_coupon_id\":1,\"user_id\":1,\"items\":[{\"num\":1,\"trade_mark\":\"1\",\"price\":1}]}");
    if (outcome(answer) != ZV_NOT_SENT) {
        fprintf(stderr, "round %d: %s\n", round, answer);
        return 1;
    }
    give_back(answer);
    /* In the last round it is unloaded without having been stopped. */
    if (round < 2)
        give_back(stop());
    return dlclose(handle);
}

int main(int argc, char **argv)
{
    int round;
    for (round = 0; round < 3; round++) {
        if (argc < 2 || use(argv[1], round))
            return 1;
        if (!STILL_THERE(argv[1])) {
            fprintf(stderr, "round %d: its threads have lost their code\n", round);
            return 1;
        }
        usleep(20000);
    }
    printf("%d checks\n", round);
    return 0;
}
