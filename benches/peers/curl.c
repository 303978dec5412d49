/* What a good C programmer would write by hand: libcurl with one kept handle, OpenSSL's HMAC, cJSON both ways.
 * Usage: curl URL [CA_FILE] */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <cjson/cJSON.h>
#include "peer.h"

#define OPEN_ID "fake-open-id-for-test-only-0001"
#define GRANT_CODE "fake-grant-code-0001"
#define OPEN_KEY "fake-open-key-for-test-only-0001"

struct text {
    char *bytes;
    size_t length, room;
};

struct state {
    CURL *handle;
    struct text answer;
};

static size_t keep(char *bytes, size_t one, size_t count, void *given)
{
    struct text *text = given;
    size_t length = one * count;
    if (text->length + length + 1 > text->room) {
        text->room = 2 * (text->length + length + 1);
        text->bytes = realloc(text->bytes, text->room);
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
    return length;
}

static void sign(const char *timestamp, const char *nonce, char token[64])
{
    unsigned char mac[EVP_MAX_MD_SIZE], base64[64];
    unsigned length, i;
    char text[512], *out = token;
    snprintf(text, sizeof text, "grantCode=%s&nonce=%s&openId=%s&timestamp=%s", GRANT_CODE, nonce, OPEN_ID, timestamp);
    HMAC(EVP_sha1(), OPEN_KEY, (int)strlen(OPEN_KEY), (unsigned char *)text, strlen(text), mac, &length);
    EVP_EncodeBlock(base64, mac, (int)length);
    for (i = 0; base64[i]; i++) {
        if (base64[i] == '+' || base64[i] == '/' || base64[i] == '=')
            out += sprintf(out, "%%%02X", base64[i]);
        else
            *out++ = (char)base64[i];
    }
    *out = 0;
}

static char *request(void)
{
    unsigned random;
    char timestamp[24], nonce[24], token[64], *body;
    cJSON *whole = cJSON_CreateObject(), *params = cJSON_CreateObject(), *items = cJSON_CreateArray(),
          *item = cJSON_CreateObject();
    RAND_bytes((unsigned char *)&random, sizeof random);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)time(NULL));
    snprintf(nonce, sizeof nonce, "%u", random % 999999999 + 1);
    sign(timestamp, nonce, token);
    cJSON_AddStringToObject(whole, "OpenId", OPEN_ID);
    cJSON_AddStringToObject(whole, "GrantCode", GRANT_CODE);
    cJSON_AddStringToObject(whole, "Token", token);
    cJSON_AddStringToObject(whole, "Timestamp", timestamp);
    cJSON_AddStringToObject(whole, "Nonce", nonce);
    cJSON_AddStringToObject(whole, "Action", "user.user-by-coupon");
    cJSON_AddStringToObject(params, "user_coupon_id", "390962138708451328");
    cJSON_AddStringToObject(params, "user_id", "383933091455959041");
    cJSON_AddStringToObject(item, "num", "2");
    cJSON_AddStringToObject(item, "trade_mark", "201909280011111");
    cJSON_AddStringToObject(item, "price", "13.50");
    cJSON_AddItemToArray(items, item);
    cJSON_AddItemToObject(params, "items", items);
    cJSON_AddItemToObject(whole, "Params", params);
    body = cJSON_PrintUnformatted(whole);
    cJSON_Delete(whole);
    return body;
}

static void call(void *given)
{
    struct state *state = given;
    char *body = request();
    cJSON *answer, *code, *data;
    long status = 0;
    state->answer.length = 0;
    curl_easy_setopt(state->handle, CURLOPT_POSTFIELDS, body);
    CHECK(curl_easy_perform(state->handle) == CURLE_OK, "perform");
    curl_easy_getinfo(state->handle, CURLINFO_RESPONSE_CODE, &status);
    answer = cJSON_Parse(state->answer.bytes);
    code = cJSON_GetObjectItemCaseSensitive(answer, "code");
    data = cJSON_GetObjectItemCaseSensitive(answer, "data");
    CHECK(status == 200 && cJSON_IsString(code) && !strcmp(code->valuestring, "0"), "refused");
    CHECK(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(data, "coupon_discount")), "no discount");
    cJSON_Delete(answer);
    free(body);
}

int main(int argc, char **argv)
{
    struct state state = {0};
    struct curl_slist *fields = NULL;
    CHECK(argc > 1, "no URL");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    state.handle = curl_easy_init();
    fields = curl_slist_append(fields, "Content-Type: application/json");
    fields = curl_slist_append(fields, "Expect:");
    curl_easy_setopt(state.handle, CURLOPT_URL, argv[1]);
    curl_easy_setopt(state.handle, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(state.handle, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(state.handle, CURLOPT_WRITEDATA, &state.answer);
    curl_easy_setopt(state.handle, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
    curl_easy_setopt(state.handle, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(state.handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(state.handle, CURLOPT_TCP_NODELAY, 1L);
    if (argc > 2)
        curl_easy_setopt(state.handle, CURLOPT_CAINFO, argv[2]);
    serve(call, &state);
    return 0;
}
