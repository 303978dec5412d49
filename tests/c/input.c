/* What a broken host passes: every function that takes text, with everything that is no JSON text of ours.
 * Usage: input ENDPOINT, of a gateway that must never hear anything of this. */
#include "check.h"

typedef char *(*text_function)(const char *);

static char *call_action(const char *text)
{
    return zv_call_json(text, "{}");
}

static char *call_params(const char *text)
{
    return zv_call_json("member_lookup", text);
}

static const struct {
    const char *name;
    text_function function;
} FUNCTIONS[] = {
    {"config_json", zv_init},       {"request_json", zv_coupon_quote_json}, {"request_json", zv_consume_json},
    {"params_json", call_params},
};

/* `count` times `piece`, and then `tail`. The caller frees it. */
static char *repeat(const char *head, const char *piece, size_t count, const char *tail)
{
    size_t step = strlen(piece), at = strlen(head), i;
    char *text = malloc(at + step * count + strlen(tail) + 1);
    if (!text)
        exit(1);
    memcpy(text, head, at);
    for (i = 0; i < count; i++, at += step)
        memcpy(text + at, piece, step);
    memcpy(text + at, tail, strlen(tail) + 1);
    return text;
}

static void bad_text(const char *name, text_function function)
{
    /* Wide strings: little endian with and without mark; big endian with a mark, whose end is its second byte. */
    static const char utf16[] = "{\0\"\0b\0\"\0:\0001\0}\0\0", marked[] = "\xff\xfe{\0\"\0\0",
                      big_marked[] = "\xfe\xff\0{\0\"\0\0", big[] = "\0{\0\"\0\0";
    char *text, *deep, says[64];

    snprintf(says, sizeof says, "%s is NULL", name);
    EXPECT(function(NULL), ZV_INVALID, "ZV-NULL", says);
    EXPECT(function(""), ZV_INVALID, "ZV-EMPTY", "empty");
    EXPECT(function(" \t\r\n"), ZV_INVALID, "ZV-EMPTY", "empty");
    EXPECT(function(big), ZV_INVALID, "ZV-EMPTY", "empty");
    EXPECT(function(utf16), ZV_INVALID, "ZV-UTF16", "UTF-16");
    EXPECT(function(marked), ZV_INVALID, "ZV-UTF16", "UTF-16");
    EXPECT(function(big_marked), ZV_INVALID, "ZV-UTF16", "UTF-16");
    /* GBK, a cut letter, an overlong one, a surrogate, beyond Unicode: each with the offset of its first byte.
     * 0xff is no GBK either. */
    EXPECT(function("{\"a\":\"\xc6\xf3\xc2\xf5\"}"), ZV_INVALID, "ZV-LOOKS-GBK", "byte 6 is 0xc6");
    EXPECT(function("{\"\xe6\"}"), ZV_INVALID, "ZV-UTF8", "byte 2 is 0xe6");
    EXPECT(function("\xc0\xaf\xff"), ZV_INVALID, "ZV-UTF8", "byte 0 is 0xc0");
    EXPECT(function("{\xed\xa0\x80\xff}"), ZV_INVALID, "ZV-UTF8", "byte 1 is 0xed");
    EXPECT(function("{}\xf4\x90\x80\x80\xff"), ZV_INVALID, "ZV-UTF8", "byte 2 is 0xf4");
    EXPECT(function("hello"), ZV_INVALID, "ZV-JSON", "line 1 column");
    EXPECT(function("{\n\"a\":1,}"), ZV_INVALID, "ZV-JSON", "line 2 column");
    EXPECT(function("{\"a\":1"), ZV_INVALID, "ZV-JSON", "EOF");
    EXPECT(function("{\"a\":\"\\ud800\"}"), ZV_INVALID, "ZV-JSON", "");
    EXPECT(function("{'a':1}"), ZV_INVALID, "ZV-JSON", "");
    EXPECT(function("{\"a\":NaN}"), ZV_INVALID, "ZV-JSON", "");
    EXPECT(function("{} {}"), ZV_INVALID, "ZV-JSON-TRAILING", "behind the end");
    EXPECT(function("{}x"), ZV_INVALID, "ZV-JSON-TRAILING", "behind the end");
    EXPECT(function("{\"a\":1,\"a\":2}"), ZV_INVALID, "ZV-JSON-DUPLICATE", "\"a\"");
    EXPECT(function("{\"x\":[{\"b\":1,\"\\u0062\":2}]}"), ZV_INVALID, "ZV-JSON-DUPLICATE", "x[0]");

    text = repeat("{\"a\":\"", "0123456789", 1024 * 1024, "\"}");
    EXPECT(function(text), ZV_INVALID, "ZV-TOO-LARGE", "10485768 bytes");
    free(text);
    /* Also one that could be GBK: a text without an end is not converted first. */
    text = repeat("", "\xc6\xf3", 1024 * 1024, "");
    EXPECT(function(text), ZV_INVALID, "ZV-TOO-LARGE", "2097152 bytes");
    free(text);
    text = repeat("", "[", 1024 * 1024, "");
    EXPECT(function(text), ZV_INVALID, "ZV-JSON", "");
    free(text);
    text = repeat("", "[", 100000, "");
    EXPECT(function(text), ZV_INVALID, "ZV-JSON", "");
    deep = repeat(text, "]", 100000, "");
    free(text);
    text = deep;
    EXPECT(function(text), ZV_INVALID, "ZV-JSON-DEEP", "32 levels");
    free(text);
    text = repeat("", "{\"a\":", 100000, "1");
    EXPECT(function(text), ZV_INVALID, "ZV-JSON", "");
    free(text);
}

static void not_an_object(const char *name, text_function function)
{
    const char *texts[] = {"[]", "null", "1", "\"{}\"", "true"};
    size_t i;
    (void)name;
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        EXPECT(function(texts[i]), ZV_INVALID, function == zv_init ? "ZV-CONFIG" : "ZV-REQUEST", "");
}

/* What Notepad saves begins with a byte order mark; one is skipped, wherever a text is taken. */
static void marked(const char *endpoint)
{
    char config[4096];
    snprintf(config, sizeof config, "\xef\xbb\xbf%s", config_for(endpoint));
    EXPECT(zv_init(config), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_coupon_quote_json("\xef\xbb\xbf" QUOTE), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_lookup_json("\xef\xbb\xbf{\"bizId\":\"none\"}"), ZV_INVALID, "ZV-NOT-FOUND", "");
    EXPECT(zv_coupon_quote_json("\xef\xbb\xbf\xef\xbb\xbf{}"), ZV_INVALID, "ZV-JSON", "");
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
}

static void bad_actions(void)
{
    static const char utf16[] = "m\0e\0m\0";
    char *text;
    EXPECT(zv_call_json(NULL, NULL), ZV_INVALID, "ZV-NULL", "action is NULL");
    EXPECT(call_action(""), ZV_INVALID, "ZV-ACTION", "");
    EXPECT(call_action(utf16), ZV_INVALID, "ZV-ACTION", "\"m\"");
    EXPECT(call_action("\xff\xfem"), ZV_INVALID, "ZV-UTF16", "action");
    EXPECT(call_action("a\xc6"), ZV_INVALID, "ZV-UTF8", "action is not UTF-8: byte 1");
    EXPECT(call_action("communal.user.consume"), ZV_INVALID, "ZV-ACTION", "");
    text = repeat("", "x", 10 * 1024 * 1024, "");
    EXPECT(call_action(text), ZV_INVALID, "ZV-TOO-LARGE", "action has 10485760 bytes");
    free(text);
}

/* Five mistakes are five problems, each by its path. */
static void five_mistakes(void)
{
    const char *paths[] = {"grantCod", "timeouts_ms.total", "api", "accounts.north.openKey", "tls.roots"};
    char *answer = zv_init("{\"openId\":\"a\",\"grantCod\":\"b\",\"openKey\":\"top-secret\",\"timeouts_ms\":{\"total\":\"soon\"},"
                           "\"api\":\"v4\",\"accounts\":{\"north\":{\"openId\":\"1\",\"grantCode\":\"2\"}},"
                           "\"tls\":{\"roots\":\"none\"}}");
    size_t i, found;
    char path[32];
    CHECK(zv_outcome(answer) == ZV_INVALID, answer);
    CHECK(strcmp(field(answer, "code"), "ZV-CONFIG") == 0, answer);
    CHECK(!strstr(answer, "top-secret"), answer);
    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        for (found = 0; found < 20; found++) {
            snprintf(path, sizeof path, "errors.%lu.path", (unsigned long)found);
            if (strcmp(field(answer, path), paths[i]) == 0)
                break;
        }
        CHECK(found < 20, paths[i]);
        CHECK(strstr(field(answer, "message"), paths[i]), answer);
    }
    zv_free(answer);
}

int main(int argc, char **argv)
{
    size_t i;
    int round;
    if (argc < 2)
        return 2;
    for (round = 0; round < 2; round++) {
        /* Before zv_init the texts are not even looked at, except by zv_init; but NULL and charset are. */
        for (i = round == 0 ? 1 : 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
            if (round == 0) {
                EXPECT(FUNCTIONS[i].function("{}"), ZV_INVALID, "ZV-NOT-INIT", "");
                EXPECT(FUNCTIONS[i].function(NULL), ZV_INVALID, "ZV-NULL", "");
                EXPECT(FUNCTIONS[i].function("\xc6\xf3"), ZV_INVALID, "ZV-LOOKS-GBK", "byte 0");
            } else {
                bad_text(FUNCTIONS[i].name, FUNCTIONS[i].function);
                not_an_object(FUNCTIONS[i].name, FUNCTIONS[i].function);
            }
        }
        if (round == 0) {
            bad_text("config_json", zv_init);
            not_an_object("config_json", zv_init);
            five_mistakes();
            EXPECT(zv_init(config_for(argv[1])), ZV_SUCCEEDED, "0", "");
        }
    }
    bad_actions();
    five_mistakes();
    /* It all works as before. */
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    zv_free(zv_shutdown());
    marked(argv[1]);
    printf("%d checks\n", checks);
    return 0;
}
