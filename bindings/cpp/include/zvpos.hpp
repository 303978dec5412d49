/*
 * zvpos for C++11 and newer: zvpos.h with owners. Header only.
 *
 * Every call returns an Answer, also for what is wrong with the request: nothing here throws but what std::string
 * throws when there is no memory, so it serves hosts that are built without exceptions. An Answer gives its text back
 * once, by itself. All texts are UTF-8, unless the configuration's `charset` says otherwise.
 *
 * The rule for money: a sale is complete if and only if `succeeded()`. Everything else: do what `next()` says.
 */

#ifndef ZVPOS_HPP
#define ZVPOS_HPP

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "zvpos.h"

// A till that ignores an answer may not know about a charge.
#if defined(__cplusplus) && __cplusplus >= 201703L
#  define ZVPOS_LOOK [[nodiscard]]
#elif defined(__GNUC__)
#  define ZVPOS_LOOK __attribute__((warn_unused_result))
#else
#  define ZVPOS_LOOK
#endif

namespace zvpos {

/// What happened to the member's money.
enum class Outcome : std::int32_t {
    none = -1, ///< no answer: what an Answer has whose text was moved away
    succeeded = ZV_SUCCEEDED,
    declined = ZV_DECLINED,
    invalid = ZV_INVALID,
    not_sent = ZV_NOT_SENT,
    unknown = ZV_UNKNOWN,
    internal = ZV_INTERNAL,
    reversed = ZV_REVERSED,
    conflict = ZV_CONFLICT,
    running = ZV_RUNNING
};

/// The outcome's name as it stands in an answer.
inline const char *name(Outcome outcome) noexcept
{
    switch (outcome) {
    case Outcome::succeeded: return "succeeded";
    case Outcome::declined: return "declined";
    case Outcome::invalid: return "invalid";
    case Outcome::not_sent: return "not_sent";
    case Outcome::unknown: return "unknown";
    case Outcome::internal: return "internal";
    case Outcome::reversed: return "reversed";
    case Outcome::conflict: return "conflict";
    case Outcome::running: return "running";
    case Outcome::none: break;
    }
    return "none";
}

/// One value of a JSON text, such as `data.coupon_discount`; empty if it is not there. Lists and objects as JSON.
ZVPOS_LOOK inline std::string field(const char *json, const char *path)
{
    std::string value(128, '\0');
    for (;;) {
        const std::size_t length = zv_field(json, path, &value[0], value.size());
        if (length < value.size()) {
            value.resize(length);
            return value;
        }
        value.resize(length);
    }
}

/// An answer of the library. Owns the text and frees it once; can be moved, not copied.
class Answer {
public:
    /// Takes over what a `zv_` function has returned.
    explicit Answer(char *text) noexcept : text_(text) {}
    Answer(Answer &&other) noexcept : text_(other.text_) { other.text_ = nullptr; }
    Answer &operator=(Answer &&other) noexcept
    {
        std::swap(text_, other.text_);
        return *this;
    }
    Answer(const Answer &) = delete;
    Answer &operator=(const Answer &) = delete;
    ~Answer() { zv_free(text_); }

    Outcome outcome() const noexcept { return static_cast<Outcome>(zv_outcome(text_)); }
    /// The one thing that completes a sale (with the option `confirm`: once it is stored and confirmed).
    bool succeeded() const noexcept { return outcome() == Outcome::succeeded; }
    /// The one action to take now, such as `complete_sale` or `other_tender`.
    std::string next() const { return field("next"); }
    /// The gateway's code, or one of docs/error-codes.md.
    std::string code() const { return field("code"); }
    /// For the programmer.
    std::string message() const { return field("message"); }
    /// For the cashier.
    std::string cashier() const { return field("cashier"); }
    /// One value by its path, such as `data.coupon_discount` or `errors.0.path`; empty if it is not there.
    std::string field(const char *path) const { return text_ ? zvpos::field(text_, path) : std::string(); }
    /// The whole answer as JSON; valid as long as this object holds it.
    const char *json() const noexcept { return text_ ? text_ : ""; }

private:
    char *text_;
};

/// A request, field by field, with the vendor's names. Money is text: a double is no amount, and does not compile.
class Request {
public:
    Request &set(const char *name, const std::string &value) { return member(name, quoted(value)); }
    Request &set(const char *name, const char *value) { return set(name, std::string(value)); }
    template <class Whole>
    typename std::enable_if<std::is_integral<Whole>::value, Request &>::type set(const char *name, Whole value)
    {
        return member(name, std::is_same<Whole, bool>::value ? (value ? "true" : "false") : std::to_string(value));
    }
    template <class Real>
    typename std::enable_if<std::is_floating_point<Real>::value, Request &>::type set(const char *, Real) = delete;

    Request &set(const char *name, const Request &value) { return member(name, value.json()); }
    Request &list(const char *name, const std::vector<std::string> &values)
    {
        std::string text;
        for (const std::string &value : values)
            text += (text.empty() ? "" : ",") + quoted(value);
        return member(name, '[' + text + ']');
    }
    /// Not named `list`, too: `{"1", "2"}` would be ambiguous.
    Request &objects(const char *name, const std::vector<Request> &values)
    {
        std::string text;
        for (const Request &value : values)
            text += (text.empty() ? "" : ",") + value.json();
        return member(name, '[' + text + ']');
    }

    std::string json() const { return '{' + members_ + '}'; }

private:
    Request &member(const char *name, const std::string &value)
    {
        members_ += (members_.empty() ? "" : ",") + quoted(name) + ':' + value;
        return *this;
    }
    static std::string quoted(const std::string &text)
    {
        std::string out(1, '"');
        for (const char c : text) {
            if (static_cast<unsigned char>(c) < 0x20) {
                char escape[7];
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
                out += escape;
            } else {
                if (c == '"' || c == '\\')
                    out += '\\';
                out += c;
            }
        }
        return out + '"';
    }
    std::string members_;
};

/// The argument of a call: a Request, or a text with JSON.
class Json {
public:
    Json(const Request &request) : text_(request.json()) {}
    Json(std::string text) : text_(std::move(text)) {}
    Json(const char *text) : text_(text) {}
    const char *c_str() const noexcept { return text_.c_str(); }

private:
    std::string text_;
};

/// A call on a thread of the library. Ask now and then whether it is done.
class Call {
public:
    /// `operation`: `consume`, `coupon_quote`, …, or `call:` and an action.
    Call(const char *operation, const Json &request)
        : answer_(zv_start_json(operation, request.c_str())), ticket_(answer_.field("data.ticket"))
    {
    }
    /// Never waits. Also true if it could not be started; answer() then says why.
    bool done()
    {
        if (answer_.outcome() == Outcome::running)
            answer_ = Answer(zv_poll_json(ticket_.c_str()));
        return answer_.outcome() != Outcome::running;
    }
    /// `running` until done() was true.
    const Answer &answer() const noexcept { return answer_; }

private:
    Answer answer_;
    std::string ticket_;
};

/// The started library; the end of this object stops it. A process has one.
class Library {
public:
    /// `config`: see docs/configuration.md; look at started() before going on.
    explicit Library(const Json &config) : started_(zv_init(config.c_str())), owner_(starts()) {}
    Library(Library &&other) noexcept : started_(std::move(other.started_)), owner_(other.owner_) { other.owner_ = false; }
    Library &operator=(Library &&) = delete;
    Library(const Library &) = delete;
    Library &operator=(const Library &) = delete;
    ~Library()
    {
        if (owner_)
            zv_free(zv_shutdown());
    }

    /// The answer of zv_init: whether the library runs, and what was found in the journal.
    const Answer &started() const noexcept { return started_; }

    /// Quotes a coupon for a basket. Charges nothing.
    ZVPOS_LOOK Answer quote(const Json &request) const { return Answer(zv_coupon_quote_json(request.c_str())); }
    /// Redeems coupons, charges stored balance, or both. The same bizId is never charged twice.
    ZVPOS_LOOK Answer consume(const Json &request) const { return Answer(zv_consume_json(request.c_str())); }
    /// Reverses a complete consume (冲正).
    ZVPOS_LOOK Answer reverse(const Json &request) const { return Answer(zv_reverse_json(request.c_str())); }
    /// Makes a bizId, in the answer's field `bizId`: no two agree, and a look-up needs no `journal_id` with it.
    ZVPOS_LOOK Answer make_biz_id() const { return Answer(zv_biz_id()); }
    /// Looks a bizId up in the journal. Sends nothing.
    ZVPOS_LOOK Answer lookup(const Json &request) const { return Answer(zv_lookup_json(request.c_str())); }
    /// Lists the sales that are not settled.
    ZVPOS_LOOK Answer pending() const { return Answer(zv_pending_json(nullptr)); }
    /// The same of one account, or every sale of one business day.
    ZVPOS_LOOK Answer pending(const Json &request) const { return Answer(zv_pending_json(request.c_str())); }
    /// Settles every sale that can be settled now, and lists the rest.
    ZVPOS_LOOK Answer recover() const { return Answer(zv_recover_json(nullptr)); }
    ZVPOS_LOOK Answer recover(const Json &request) const { return Answer(zv_recover_json(request.c_str())); }
    /// Reports that the till has stored its sale (option `confirm`).
    ZVPOS_LOOK Answer confirm(const Json &request) const { return Answer(zv_confirm_json(request.c_str())); }
    /// Records a person's decision about a sale.
    ZVPOS_LOOK Answer settle(const Json &request) const { return Answer(zv_settle_json(request.c_str())); }
    /// Sends a query that charges nothing, such as `member_lookup`.
    ZVPOS_LOOK Answer call(const char *action, const Json &params) const
    {
        return Answer(zv_call_json(action, params.c_str()));
    }
    /// Begins a call and does not wait for it.
    ZVPOS_LOOK Call start(const char *operation, const Json &request) const { return Call(operation, request); }
    /// Stops the library before this object ends, to see what it says.
    Answer shutdown()
    {
        owner_ = false;
        return Answer(zv_shutdown());
    }

private:
    /// Whether this object has started it: one that was running already is not this one's to stop.
    bool starts() const { return started_.succeeded() && started_.field("already") != "true"; }

    Answer started_;
    bool owner_;
};

/// The log, as long as this object lives. The function is called from any thread, from several at once; it must not
/// throw and must not call the library.
class Log {
public:
    explicit Log(std::function<void(int level, const char *message)> write, std::int32_t level_max = ZV_LOG_INFO)
        : write_(new std::function<void(int, const char *)>(std::move(write)))
    {
        zv_set_log_callback(&Log::line, write_.get(), level_max);
    }
    Log(const Log &) = delete;
    Log &operator=(const Log &) = delete;
    ~Log() { zv_set_log_callback(nullptr, nullptr, ZV_LOG_OFF); }

private:
    static void ZV_CALL line(std::int32_t level, const char *message, void *write) noexcept
    {
        (*static_cast<std::function<void(int, const char *)> *>(write))(level, message);
    }
    std::unique_ptr<std::function<void(int, const char *)>> write_;
};

/// Whether the library that is loaded is new enough for the header that this was compiled with.
inline bool fits() noexcept { return zv_abi_version() >= ZV_ABI_VERSION; }

/// The version of the library, such as "0.1.0".
inline const char *version() noexcept { return zv_version(); }

} // namespace zvpos

#endif // ZVPOS_HPP
