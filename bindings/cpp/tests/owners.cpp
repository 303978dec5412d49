// Who owns what. Usage: owners ENDPOINT JOURNAL. Run under the sanitizers; a wrong free is in the library's log.
#include <atomic>
#include <cstdlib>
#include <iostream>

#include "zvpos.hpp"

// Of AddressSanitizer; Debian's gcc comes without its header.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

#define CHECK(it) (void)((it) || (std::cerr << __LINE__ << ": " #it "\n", std::exit(1), 0))

int main(int, char **argv)
{
    std::atomic<int> lines(0), wrong(0);
    zvpos::Log log([&](int, const char *message) {
        lines++;
        wrong += std::string(message).find("ZV-FREE") != std::string::npos;
    }, ZV_LOG_TRACE);
    CHECK(zvpos::fits() && *zvpos::version());

    const zvpos::Request config = zvpos::Request().set("openId", "fake-open-id-for-test-only-0001")
        .set("grantCode", "fake-grant-code-0001").set("openKey", "fake-open-key-for-test-only-0001")
        .set("endpoint", argv[1]).set("journal", argv[2]).set("timeouts_ms", zvpos::Request().set("total", 10000));
    {
        zvpos::Library first(config);
        CHECK(first.started().succeeded());
        {
            zvpos::Library same(config);
            CHECK(same.started().field("already") == "true");
            zvpos::Library other("{}");
            CHECK(other.started().outcome() == zvpos::Outcome::invalid);
        }
        zvpos::Library moved(std::move(first));

        zvpos::Answer one = moved.pending(), two = std::move(one);
        CHECK(two.succeeded() && one.outcome() == zvpos::Outcome::none);
        CHECK(one.field("code").empty() && !*one.json());
        one = std::move(two);
        CHECK(one.succeeded());
        one = moved.lookup("{\"bizId\":\"none\"}");
        CHECK(one.outcome() == zvpos::Outcome::invalid && one.code() == "ZV-NOT-FOUND");

        // A text that is longer than the first guess, and every character that JSON escapes.
        const std::string odd = "\"\\\n\t\x01\xe7\x8e\x8b", remark = std::string(300, 'x') + odd;
        CHECK(zvpos::field(zvpos::Request().set("remark", remark).json().c_str(), "remark") == remark);
        CHECK(zvpos::Request().set("a", 1).set("b", true).set("c", "x").list("d", {"1", "2"}).json()
              == "{\"a\":1,\"b\":true,\"c\":\"x\",\"d\":[\"1\",\"2\"]}");

        // The library still knows what nobody has given back: no leak to a checker, so the bytes are counted.
        std::size_t before = 0;
        for (int i = 0; i < 2200; i++) {
            CHECK(moved.lookup("{\"bizId\":\"none\"}").outcome() == zvpos::Outcome::invalid);
            one = moved.lookup("{\"bizId\":\"none\"}");
            before = i == 200 ? __sanitizer_get_current_allocated_bytes() : before;
        }
        CHECK(__sanitizer_get_current_allocated_bytes() < before + 200000);

        zvpos::Call call = moved.start("pending", "{}");
        while (!call.done()) {}
        CHECK(call.done() && call.answer().succeeded());
        zvpos::Call none = moved.start("pay", "{}");
        CHECK(none.done() && none.answer().outcome() == zvpos::Outcome::invalid);
        CHECK(moved.pending().succeeded());
    }
    CHECK(zvpos::Answer(zv_pending_json(nullptr)).code() == "ZV-SHUT-DOWN");
    CHECK(lines > 0 && wrong == 0);
    std::cout << "ok\n";
}
