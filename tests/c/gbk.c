/* A host that speaks GBK: what it says reaches the gateway, what it gets is GBK, and nothing is lost.
 * Usage: gbk ENDPOINT */
#include "check.h"

/* In GBK: 收银员 is the till's person, 扣款成功 the sentence after a payment, 企迈 the platform. */
#define CASHIER "\xca\xd5\xd2\xf8\xd4\xb1"
#define PAID "\xbf\xdb\xbf\xee\xb3\xc9\xb9\xa6"
#define PLATFORM "\xc6\xf3\xc2\xf5"

static int lines_in_gbk;

static void note(int32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)user_data;
    lines_in_gbk += strstr(message, PLATFORM) != NULL;
}

static void start(const char *endpoint, const char *charset, int outcome, const char *code, const char *says)
{
    char config[2048];
    snprintf(config, sizeof config,
             "{\"openId\":\"fake-open-id-for-test-only-0001\",\"grantCode\":\"fake-grant-code-0001\","
             "\"openKey\":\"fake-open-key-for-test-only-0001\",\"endpoint\":\"%s\",\"journal\":\"%s/" PLATFORM ".db\","
             "\"guard\":\"off\"%s}", endpoint, here(), charset);
    EXPECT(zv_init(config), outcome, code, says);
}

int main(int argc, char **argv)
{
    char *answer, buffer[64];
    (void)argc;

    /* Nobody has said yet that it is GBK. */
    start(argv[1], "", ZV_INVALID, "ZV-LOOKS-GBK", "set \"charset\": \"gbk\"");
    start(argv[1], ",\"charset\":\"utf-8\"", ZV_INVALID, "ZV-LOOKS-GBK", "config_json is not UTF-8");
    start(argv[1], ",\"charset\":\"gbk\",\"tpyo\":1", ZV_INVALID, "ZV-CONFIG", "");
    start(argv[1], ",\"charset\":\"gbk\"", ZV_SUCCEEDED, "0", "");
    zv_set_log_callback(note, NULL, ZV_LOG_TRACE);

    answer = zv_consume_json("{\"bizId\":\"G-1\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\","
                             "\"remark\":\"" CASHIER "\"}");
    CHECK(strstr(answer, PAID), answer);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    CHECK(zv_field(answer, "cashier", buffer, sizeof buffer) == strlen(PAID) && !strcmp(buffer, PAID), answer);
    CHECK(zv_field(answer, "cashier", buffer, 8) == 9, "too small for eight bytes and NUL");
    zv_free(answer);

    /* The member's nickname has an emoji, which GBK cannot say. */
    answer = zv_call_json("member_lookup", "{\"identifierNumber\":\"383933091455959043\",\"type\":1}");
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED && strstr(answer, "\\ud83d\\ude00"), answer);
    CHECK(!strncmp(field(answer, "data.nickname"), "\xcd\xf5\xce\xe5\\ud83d\\ude00", 16), answer);
    zv_free(answer);

    /* Half a character, and UTF-8. */
    EXPECT(zv_consume_json("{\"bizId\":\"G-2\xca\"}"), ZV_INVALID, "ZV-GBK", "byte 13 is 0xca");
    EXPECT(zv_consume_json("{\"bizId\":\"\xe6\x94\xb6\"}"), ZV_INVALID, "ZV-GBK", "it is UTF-8");
    EXPECT(zv_consume_json("\xff\xfe{"), ZV_INVALID, "ZV-UTF16", "byte order mark");
    EXPECT(zv_call_json("\xca", "{}"), ZV_INVALID, "ZV-GBK", "action is not GBK");
    EXPECT(zv_call_json(PLATFORM, "{}"), ZV_INVALID, "ZV-ACTION", PLATFORM);
    EXPECT(zv_lookup_json("{\"bizId\":\"" PLATFORM "\"}"), ZV_INVALID, "ZV-REQUEST", "bizId");
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");

    /* The file has the name that the host gave. */
    start(argv[1], ",\"charset\":\"gbk\"", ZV_SUCCEEDED, "0", "");
    answer = zv_lookup_json("{\"bizId\":\"G-1\"}");
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED && strstr(answer, PAID), answer);
    zv_free(answer);
    answer = zv_shutdown();
    zv_free(answer);
    printf("%d checks\n", checks);
    return 0;
}
