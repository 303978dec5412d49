// Runs tests/cases through zvpos.hpp. Usage: cases GATEWAY ADMIN FOLDER FILE...
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "zvpos.hpp"

namespace {

const auto PATIENCE = std::chrono::seconds(40);

struct Place {
    std::string gateway, admin, folder;
};

/// The table is read as an answer is.
std::string at(const std::string &json, const std::string &path) { return zvpos::field(json.c_str(), path.c_str()); }

std::string replaced(std::string text, const std::string &from, const std::string &to)
{
    for (std::size_t where; (where = text.find(from)) != std::string::npos;)
        text.replace(where, from.size(), to);
    return text;
}

/// One request to http://127.0.0.1:PORT; the body of the answer.
std::string http(const std::string &base, const std::string &method, const std::string &path, const std::string &body)
{
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(base.substr(base.rfind(':') + 1).c_str())));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int wire = socket(AF_INET, SOCK_STREAM, 0);
    std::string request = method + ' ' + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body;
    std::string answer;
    char bytes[4096];
    if (connect(wire, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 &&
        write(wire, request.data(), request.size()) == static_cast<ssize_t>(request.size()))
        for (ssize_t n; (n = read(wire, bytes, sizeof bytes)) > 0;)
            answer.append(bytes, static_cast<std::size_t>(n));
    close(wire);
    const std::size_t head = answer.find("\r\n\r\n");
    return head == std::string::npos ? std::string() : answer.substr(head + 4);
}

/// Repeats until nothing is wrong any more; the last complaint.
template <class Try> std::string until_right(bool wait, Try attempt)
{
    const auto started = std::chrono::steady_clock::now();
    std::string wrong;
    while (!(wrong = attempt()).empty() && wait && std::chrono::steady_clock::now() - started < PATIENCE)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return wrong;
}

struct Seen {
    std::string outcome, json;
};

Seen seen(const zvpos::Answer &answer) { return {zvpos::name(answer.outcome()), answer.json()}; }

/// The till of one case: the library as the case has left it.
class Till {
public:
    explicit Till(const std::string &config) : config_(config), library_(new zvpos::Library(config)) {}

    Seen started() const { return seen(library_->started()); }

    Seen call(const std::string &what, const std::string &given)
    {
        const std::string request = replaced(given, "$JOURNAL_ID", library_->started().field("data.journal_id"));
        if (what == "init")
            return init(request.empty() ? config_ : request);
        if (what == "shutdown")
            return seen(library_->shutdown());
        if (what.compare(0, 6, "start:") == 0)
            return started(what.c_str() + 6, request.empty() ? "{}" : request);
        return seen(answer(what, request));
    }

private:
    zvpos::Answer answer(const std::string &what, const std::string &request) const
    {
        const zvpos::Library &library = *library_;
        if (what == "biz_id") return library.make_biz_id();
        if (what == "coupon_quote") return library.quote(request);
        if (what == "consume") return library.consume(request);
        if (what == "reverse") return library.reverse(request);
        if (what == "lookup") return library.lookup(request);
        if (what == "pending") return request.empty() ? library.pending() : library.pending(request);
        if (what == "recover") return request.empty() ? library.recover() : library.recover(request);
        if (what == "confirm") return library.confirm(request);
        if (what == "settle") return library.settle(request);
        if (what.compare(0, 5, "call:") == 0) return library.call(what.c_str() + 5, request);
        return zvpos::Answer(nullptr);
    }

    Seen init(const std::string &config)
    {
        std::unique_ptr<zvpos::Library> again(new zvpos::Library(config));
        const Seen found = seen(again->started());
        // What was refused, or was running already, must leave the first one as it is.
        if (again->started().succeeded() && again->started().field("already") == "false")
            library_ = std::move(again);
        return found;
    }

    Seen started(const char *operation, const std::string &request) const
    {
        zvpos::Call call = library_->start(operation, request);
        while (!call.done())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return seen(call.answer());
    }

    std::string config_;
    std::unique_ptr<zvpos::Library> library_;
};

/// What differs from the expectation, empty if nothing does.
std::string difference(const std::string &expected, const Seen &found)
{
    const std::string outcome = at(expected, "outcome");
    if (found.outcome != outcome)
        return "outcome: " + outcome + " expected, found " + found.json;
    for (int i = 0;; i++) {
        const std::string pair = "fields." + std::to_string(i), path = at(expected, pair + ".0");
        if (path.empty())
            return "";
        const std::string want = at(expected, pair + ".1"), value = at(found.json, path);
        if (value != want)
            return path + ": \"" + want + "\" expected, found " + found.json;
    }
}

/// Runs one case; why it failed, empty if it did not.
std::string run(const std::string &test, const std::string &config, const Place &place)
{
    http(place.admin, "POST", "/reset", "");
    Till till(config);
    if (till.started().outcome != "succeeded")
        return "init: " + till.started().json;
    for (int i = 0;; i++) {
        const std::string order = at(test, "admin." + std::to_string(i));
        if (order.empty())
            break;
        const std::string path = "admin." + std::to_string(i);
        http(place.admin, at(test, path + ".0"), at(test, path + ".1"), at(test, path + ".2"));
    }
    for (int i = 0;; i++) {
        const std::string call = at(test, "calls." + std::to_string(i)), what = at(call, "call");
        if (call.empty())
            break;
        const std::string wrong = until_right(at(call, "wait") == "true", [&] {
            return difference(call, till.call(what, at(call, "request")));
        });
        if (!wrong.empty())
            return "call " + std::to_string(i) + " (" + what + ") " + wrong;
    }
    for (int i = 0;; i++) {
        const std::string path = "net." + std::to_string(i), biz_id = at(test, path + ".0");
        if (biz_id.empty())
            return "";
        const std::string wrong = until_right(true, [&] {
            const std::string net = at(http(place.admin, "GET", "/ledger?bizId=" + biz_id, ""), "net");
            return net == at(test, path + ".1") ? std::string() : "net of " + biz_id + ": " + net;
        });
        if (!wrong.empty())
            return wrong;
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 5) {
        std::cerr << "usage: cases GATEWAY ADMIN FOLDER FILE...\n";
        return 2;
    }
    const Place place = {argv[1], argv[2], argv[3]};
    int failed = 0, count = 0;
    for (int i = 4; i < argc; i++) {
        std::ifstream file(argv[i]);
        std::stringstream text;
        text << file.rdbuf();
        const std::string table = text.str(), common = replaced(at(table, "config"), "$GATEWAY", place.gateway);
        for (int number = 0;; number++) {
            const std::string test = at(table, "cases." + std::to_string(number));
            if (test.empty())
                break;
            const std::string journal = place.folder + "/" + std::to_string(count++) + ".db";
            const std::string wrong = run(test, replaced(common, "$JOURNAL", journal), place);
            failed += !wrong.empty();
            std::cout << (wrong.empty() ? "ok " : "FAILED ") << at(test, "name") << (wrong.empty() ? "" : ": ") << wrong << std::endl;
        }
    }
    return failed || !count;
}
