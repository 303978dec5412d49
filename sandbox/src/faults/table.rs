//! The table of faults: for each its name, its effect, and what a till should see.

use serde::Serialize;

/// A number that a fault takes: its name, its default and its meaning.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// The default.
    pub default: u64,
    /// Its meaning.
    pub meaning: &'static str,
    /// The same in Chinese.
    pub meaning_zh: &'static str,
}

/// The requests that a fault can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meets {
    /// Any request.
    Request,
    /// A consume; it has no effect on any other request.
    Consume,
    /// A reversal, even if the bizId or the amount of the reversed sale selects the fault.
    Reverse,
    /// The start of a TLS connection; only the admin API can arm it.
    Handshake,
}

/// A row of the table of faults.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row {
    /// The name.
    pub name: &'static str,
    /// The amount of a consume that selects it, in 元.
    pub amount: &'static str,
    /// The requests that it can meet.
    pub meets: Meets,
    /// Whether the gateway executes the request, now or later.
    pub acts: bool,
    /// The description, in English.
    pub en: &'static str,
    /// The description, in Chinese.
    pub zh: &'static str,
    /// What a till should see if a consume, or its reversal, meets the fault.
    pub till_sees: &'static str,
    /// The same in Chinese.
    pub till_sees_zh: &'static str,
    /// The fault's number, if it takes one.
    pub param: Option<Param>,
}

#[allow(clippy::unnecessary_wraps, reason = "it stands in the table beside `None`")]
const fn param(
    name: &'static str,
    default: u64,
    meaning: &'static str,
    meaning_zh: &'static str,
) -> Option<Param> {
    Some(Param { name, default, meaning, meaning_zh })
}

macro_rules! faults {
    ($($fault:ident $name:literal $amount:literal meets $meets:ident acts $acts:literal till $till:literal $till_zh:literal
       param $param:expr, $en:literal $zh:literal;)+) => {
        /// A fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $en] $fault,)+
        }

        impl Fault {
            /// Every fault, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$fault,)+];

            /// Its row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$fault => Row {
                        name: $name, amount: $amount, meets: Meets::$meets, acts: $acts, en: $en, zh: $zh,
                        till_sees: $till, till_sees_zh: $till_zh, param: $param,
                    },)+
                }
            }
        }
    };
}

faults! {
    // On the way to the gateway.
    Refused "refused" "9001.01" meets Request acts false
        till "not_sent; unknown if its connection was open already" "not_sent（未发送）；连接已建立时为 unknown"
        param param("ms", 1000, "how long the gateway's port stays closed", "网关端口关闭多久"),
        "the port is closed for a time: connections are refused, open ones reset"
        "端口关闭一段时间：新连接被拒绝，已有连接被重置";
    ConnectHangs "connect_hangs" "9001.02" meets Request acts false
        till "not_sent; unknown if its connection was open already" "not_sent（未发送）；连接已建立时为 unknown"
        param param("ms", 1000, "how long it lasts", "持续多久"),
        "the port's queue is full for a time: connects hang (Linux), open connections are reset"
        "一段时间内端口的连接队列已满：新连接一直挂起（Linux），已有连接被重置";
    AcceptHangs "accept_hangs" "9001.03" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param param("ms", 1000, "how long it lasts", "持续多久"),
        "for a time connections are made but nobody reads them, and in the end they are reset; nothing is taken"
        "一段时间内连接可以建立但无人处理，最后被重置；未扣款";
    TlsHangs "tls_hangs" "9001.04" meets Handshake acts false
        till "not_sent, ZV-CONNECT" "not_sent（未发送），ZV-CONNECT"
        param None,
        "an https endpoint here: the handshake is never answered"
        "以 https 访问本端口：TLS 握手一直得不到应答";
    TlsFails "tls_fails" "9001.05" meets Handshake acts false
        till "not_sent, ZV-TLS" "not_sent（未发送），ZV-TLS"
        param None,
        "an https endpoint here: the handshake is answered with a fatal alert"
        "以 https 访问本端口：TLS 握手被致命告警中止";
    ResetDuring "reset_during" "9001.06" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param param("at", 100, "after how many bytes of the request (asked for by its body: after the whole)",
            "收到请求的多少字节之后（由请求正文指定该故障时：收完之后）"),
        "the connection is reset in the middle of the request; nothing is taken"
        "请求收到一半时连接被重置；未扣款";
    ResetBefore "reset_before" "9001.07" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param None,
        "the connection is reset before anything is taken"
        "扣款前连接被重置";
    Hang "hang" "9001.08" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is read and never answered; nothing is taken"
        "收到请求后不应答；未扣款";
    Outage "outage" "9001.09" meets Request acts false
        till "unknown while it lasts" "持续期间为 unknown（结果未知）"
        param param("ms", 86_400_000, "how long it lasts by the simulator's clock, which can be moved",
            "持续多久，按可调整的模拟器时钟计算"),
        "from now on every request, or every one of the operation it is armed for, is reset; nothing is taken"
        "从现在起的一段时间内，所有请求（或指定接口的请求）都被重置；未扣款";
    LateArrival "late_arrival" "9001.10" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param param("ms", 5000, "when it is carried out", "多久之后执行"),
        "the request is held up and carried out later; no answer comes"
        "请求在途中滞留，稍后才被执行；无应答";
    Overtaken "overtaken" "9001.11" meets Consume acts true
        till "unknown; then reversed, once the reversal is repeated" "unknown；再次冲正后变为 reversed（已冲正）"
        param param("ms", 60_000, "when it is carried out if no reversal comes", "没有冲正到来时，多久之后执行"),
        "the request is held up until its own reversal has overtaken it, then carried out; no answer comes"
        "请求在途中滞留，被自己的冲正超过之后才被执行；无应答";
    DeliveredTwice "delivered_twice" "9001.12" meets Request acts true
        till "succeeded; unknown with number 2" "succeeded（成功）；数值为 2 时为 unknown"
        param param("answer", 1, "whose answer comes back: 1 the first copy's, 2 the second's (110007, its nonce is used)",
            "返回哪一次的应答：1 为第一次，2 为第二次（110007，随机数重复）"),
        "the network delivers the request twice; the copy is refused for its nonce"
        "网络将同一请求投递两次；第二次因随机数重复被拒绝";
    Http429 "http_429" "9001.13" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param None,
        "too many requests: HTTP 429; nothing is taken"
        "请求过于频繁：HTTP 429；未扣款";

    // On the way back.
    HangAfter "hang_after" "9001.14" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out and never answered"
        "已扣款，但不应答";
    ResetAfter "reset_after" "9001.15" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, then the connection is reset"
        "扣款后连接被重置";
    LateAnswer "late_answer" "9001.16" meets Request acts true
        till "unknown if later than the deadline, else succeeded" "晚于截止时间为 unknown，否则为 succeeded（成功）"
        param param("ms", 15_000, "how long the answer takes", "应答耗时"),
        "the request is carried out, the answer comes late"
        "已扣款，应答迟到";
    SlowBody "slow_body" "9001.17" meets Request acts true
        till "unknown at the deadline" "到截止时间为 unknown（结果未知）"
        param param("ms", 1000, "the time between two bytes", "相邻两个字节的间隔"),
        "the request is carried out, the body comes one byte at a time"
        "已扣款，应答正文逐字节缓慢到达";
    CutHead "cut_head" "9001.18" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param param("at", 40, "how many bytes of the head are sent", "发送应答头的多少字节"),
        "the request is carried out, the answer ends in the middle of its head"
        "已扣款，应答头中途截断";
    CutBody "cut_body" "9001.19" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param param("at", 40, "how many bytes of the body are sent", "发送正文的多少字节"),
        "the request is carried out, the answer ends in the middle although its length promises more"
        "已扣款，应答正文中途截断";
    WrongLength "wrong_length" "9001.20" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param param("by", 10, "how many bytes it is short of the truth", "比实际少多少字节"),
        "the request is carried out, the answer's Content-Length is too small"
        "已扣款，应答的 Content-Length 偏小";
    Chunked "chunked" "9001.21" meets Request acts true
        till "succeeded" "succeeded（成功）"
        param param("bytes", 16, "the size of a chunk", "每块的大小"),
        "the right answer in chunks"
        "应答内容正确，以分块方式传输";
    ChunkedCut "chunked_cut" "9001.22" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param param("at", 40, "how many bytes of the body are sent; more than there are: all, and no last chunk",
            "发送正文的多少字节；超过正文长度则全部发送，但没有结尾块"),
        "the request is carried out, the answer comes in chunks and ends before the last one"
        "已扣款，分块传输的应答缺少结尾";
    Http500 "http_500" "9001.23" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param param("status", 500, "the HTTP status", "HTTP 状态码"),
        "an HTTP error; nothing is taken"
        "HTTP 错误；未扣款";
    Http500After "http_500_after" "9001.24" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param param("status", 500, "the HTTP status", "HTTP 状态码"),
        "the request is carried out, the answer is an HTTP error"
        "已扣款，应答为 HTTP 错误";
    Html200 "html_200" "9001.25" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param None,
        "a captive portal's page with status 200; nothing is taken"
        "返回认证门户网页（状态 200）；未扣款";
    Html200After "html_200_after" "9001.26" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, the answer replaced by a portal's page with status 200"
        "已扣款，应答被替换为认证门户网页（状态 200）";
    Redirect "redirect" "9001.27" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param param("status", 302, "the HTTP status", "HTTP 状态码"),
        "a redirect to a portal's page; nothing is taken"
        "重定向到认证门户网页；未扣款";
    StrayAnswer "stray_answer" "9001.28" meets Request acts true
        till "succeeded; the next call must not read the other sale's answer"
            "succeeded（成功）；下一次调用不得读到另一笔交易的应答"
        param None,
        "the answer is followed by another complete one, a success of another sale"
        "应答之后同一连接上又出现另一笔交易的成功应答";
    IdleReset "idle_reset" "9001.29" meets Request acts true
        till "succeeded; the next call on this connection is unknown (a quote: not_sent)"
            "succeeded（成功）；此连接上的下一次调用为 unknown（试算为 not_sent）"
        param None,
        "the answer is right; the connection is reset when the next request begins on it, which is not carried out"
        "应答正常；同一连接上的下一个请求刚开始发送时连接被重置，该请求不被执行";

    // The gateway's answer.
    DriftedTypes "drifted_types" "9001.30" meets Request acts true
        till "succeeded" "succeeded（成功）"
        param param("variant", 0, "which way the types drift: 0, 1 or 2", "类型漂移的方式：0、1 或 2"),
        "the right answer with other JSON types: bools, numbers, ids and empty objects"
        "应答内容正确，但 JSON 类型漂移";
    TrailingText "trailing_text" "9001.31" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, other text follows the answer's JSON"
        "已扣款，应答 JSON 之后带有多余文本";
    DuplicateKeys "duplicate_keys" "9001.32" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, the answer has status, code and message twice, first as an error"
        "已扣款，应答中 status、code、message 各出现两次，前一次为错误";
    NoData "no_data" "9001.33" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, the answer is a success without data"
        "已扣款，应答为成功但没有 data";
    OtherBizId "other_biz_id" "9001.34" meets Consume acts true
        till "succeeded with ZV-W-BIZID; strict_answer: unknown"
            "succeeded（成功），警告 ZV-W-BIZID；启用 strict_answer 时为 unknown"
        param None,
        "the answer carries a bizId of the gateway's own, by which the sale can be reversed, too"
        "应答中返回网关自有的 bizId，也可用它冲正";
    WrongAmount "wrong_amount" "9001.35" meets Consume acts true
        till "succeeded with ZV-W-AMOUNT; strict_answer: unknown"
            "succeeded（成功），警告 ZV-W-AMOUNT；启用 strict_answer 时为 unknown"
        param param("fen", 100, "how much more, in 分", "多出多少分"),
        "the answer says that more was taken than was"
        "应答中的扣款金额大于实际金额";
    OtherCoupons "other_coupons" "9001.36" meets Consume acts true
        till "succeeded with ZV-W-COUPONS; strict_answer: unknown"
            "succeeded（成功），警告 ZV-W-COUPONS；启用 strict_answer 时为 unknown"
        param None,
        "the answer names another coupon than was asked for and redeemed"
        "应答中的优惠券与实际核销的不同";
    SystemError "system_error" "9001.37" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param None,
        "a system error of the gateway (status false); nothing is taken"
        "网关系统错误（status 为 false）；未扣款";
    SystemErrorAfter "system_error_after" "9001.38" meets Request acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, the answer is a system error (status false)"
        "已扣款，但返回系统错误（status 为 false）";
    Declined "declined" "9001.39" meets Request acts false
        till "declined" "declined（被拒绝）"
        param None,
        "a business refusal: the balance is short (910001); nothing is taken"
        "业务拒绝：余额不足（910001）；未扣款";
    RateLimited "rate_limited" "9001.40" meets Request acts false
        till "declined" "declined（被拒绝）"
        param None,
        "a business refusal: too many requests (910014); nothing is taken"
        "业务拒绝：请求过于频繁（910014）；未扣款";
    NonceRefused "nonce_refused" "9001.41" meets Request acts false
        till "unknown" "unknown（结果未知）"
        param None,
        "refused for its nonce (110007); nothing is taken"
        "随机数被拒绝（110007）；未扣款";
    RefusedAfter "refused_after" "9001.42" meets Consume acts true
        till "declined, which is not true; unknown where codes.in_doubt lists 910012"
            "declined（被拒绝），与事实不符；910012 列入 codes.in_doubt 时为 unknown"
        param None,
        "the request is carried out and refused all the same (910012)"
        "已扣款，却返回业务拒绝（910012）";
    PartialEffect "partial_effect" "9001.43" meets Consume acts true
        till "declined, which is not true; unknown where codes.in_doubt lists 910012"
            "declined（被拒绝），与事实不符；910012 列入 codes.in_doubt 时为 unknown"
        param None,
        "only the coupons are redeemed (without coupons: all is taken), and the sale is refused (910012)"
        "只核销了优惠券（无券时全部扣款），却返回业务拒绝（910012）";
    SameFirst "same_first" "9001.44" meets Consume acts true
        till "succeeded" "succeeded（成功）"
        param None,
        "a bizId that is known (the first time: by a copy that arrived before) is answered as the first time"
        "重复的 bizId（首次出现时由先到的副本造成）返回首次的应答";
    SameDuplicate "same_duplicate" "9001.45" meets Consume acts true
        till "declined, though the copy was carried out; unknown where codes.in_doubt lists 910011"
            "declined（被拒绝），但副本已扣款；910011 列入 codes.in_doubt 时为 unknown"
        param None,
        "a bizId that is known (the first time: by a copy that arrived before) is refused as a duplicate (910011)"
        "重复的 bizId（首次出现时由先到的副本造成）被当作重复业务拒绝（910011）";
    SameAgain "same_again" "9001.46" meets Consume acts true
        till "succeeded, though it is taken twice: no till can see that"
            "succeeded（成功），但已扣款两次：任何收银端都无法察觉"
        param None,
        "a bizId that is known (the first time: by a copy that arrived before) is carried out again"
        "重复的 bizId（首次出现时由先到的副本造成）被再次执行，重复扣款";
    ClockAhead "clock_ahead" "9001.47" meets Request acts true
        till "succeeded with ZV-W-CLOCK, signed again once" "succeeded（成功），警告 ZV-W-CLOCK，重新签名一次"
        param param("s", 86_400, "how far, in seconds", "相差多少秒"),
        "the gateway's clock is ahead: its Date, and which timestamps it refuses (110004)"
        "网关时钟偏快：影响 Date 和时间戳校验（110004）";
    ClockBehind "clock_behind" "9001.48" meets Request acts true
        till "succeeded with ZV-W-CLOCK, signed again once" "succeeded（成功），警告 ZV-W-CLOCK，重新签名一次"
        param param("s", 86_400, "how far, in seconds", "相差多少秒"),
        "the gateway's clock is behind: its Date, and which timestamps it refuses (110004)"
        "网关时钟偏慢：影响 Date 和时间戳校验（110004）";

    // The gateway's answer to a reversal.
    ReverseRefused "reverse_refused" "9001.49" meets Reverse acts false
        till "unknown, other_tender, and a person: ZV-REFUSED; of a refund conflict: ZV-REFUND-REFUSED; of another till's sale conflict: ZV-REFUSED" "unknown，other_tender，并须人工处理：ZV-REFUSED；退款则为 conflict：ZV-REFUND-REFUSED；另一台收银机的交易则为 conflict：ZV-REFUSED"
        param None,
        "the reversal is refused (920003); the deduction stands"
        "冲正被拒绝（920003）；扣款仍然有效";
    ReverseTooLate "reverse_too_late" "9001.50" meets Reverse acts false
        till "unknown, other_tender, and a person: ZV-REFUSED; of a refund conflict: ZV-REFUND-REFUSED; of another till's sale conflict: ZV-REFUSED" "unknown，other_tender，并须人工处理：ZV-REFUSED；退款则为 conflict：ZV-REFUND-REFUSED；另一台收银机的交易则为 conflict：ZV-REFUSED"
        param None,
        "the reversal is too late (920004); the deduction stands"
        "超过冲正时限（920004）；扣款仍然有效";
    ReverseNotFound "reverse_not_found" "9001.51" meets Reverse acts false
        till "unknown for late_arrival_ms, then reversed, which is not true if it goes on so long"
            "late_arrival_ms 之内为 unknown，之后为 reversed；故障持续更久时与事实不符"
        param None,
        "the reversal does not find the deduction (920001), which stands"
        "冲正时找不到原业务（920001），而扣款仍然有效";
    ReverseUnknownSuccess "reverse_unknown_success" "9001.52" meets Reverse acts true
        till "reversed" "reversed（已冲正）"
        param None,
        "the reversal of something unknown is answered with success; what is known is reversed"
        "冲正不存在的业务时返回成功；存在的业务正常冲正";
    ReverseAlready "reverse_already" "9001.53" meets Reverse acts true
        till "reversed" "reversed（已冲正）"
        param None,
        "the reversal is answered \"already reversed\" (920002), without acting where it is so, else after a copy of it acted"
        "冲正返回“已冲正”（920002）：已冲正的不再处理，否则由先到的副本完成冲正";
    ReverseWithoutActing "reverse_without_acting" "9001.54" meets Reverse acts false
        till "reversed, though the deduction stands: no till can see that"
            "reversed（已冲正），但扣款仍然有效：任何收银端都无法察觉"
        param None,
        "the reversal is answered \"already reversed\" (920002), and the deduction stands"
        "冲正返回“已冲正”（920002），而扣款仍然有效";
    ReverseTwice "reverse_twice" "9001.55" meets Reverse acts true
        till "reversed, though it is given back twice: no till can see that"
            "reversed（已冲正），但退回了两次：任何收银端都无法察觉"
        param None,
        "the reversal is carried out twice"
        "冲正被执行两次，重复退款";

    // The gateway's answer, found later.
    NamedRefusal "named_refusal" "9001.56" meets Consume acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, the answer is a refusal that names another sale (910003)"
        "已扣款，但应答是指明另一笔交易的拒绝（910003）";
    CouponRefusal "coupon_refusal" "9001.57" meets Consume acts true
        till "unknown" "unknown（结果未知）"
        param None,
        "the request is carried out, the answer is a refusal whose data shows what was taken and redeemed (910012)"
        "已扣款，应答是拒绝（910012），但其数据显示了已扣金额和已核销的券";
    WordCode "word_code" "9001.58" meets Request acts false
        till "unknown; declined where codes.declined lists E_BALANCE_LOW"
            "unknown（结果未知）；E_BALANCE_LOW 列入 codes.declined 时为 declined"
        param None,
        "a refusal whose code is no number; nothing is taken"
        "返回码不是数字的拒绝；未扣款";
    Processing "processing" "9001.59" meets Consume acts true
        till "declined, which is not true; unknown with codes.only_listed, or where codes.in_doubt lists 910015"
            "declined（被拒绝），与事实不符；设置 codes.only_listed，或 910015 列入 codes.in_doubt 时为 unknown"
        param None,
        "the request is carried out, the answer is a business code that says 处理中 (910015)"
        "已扣款，应答为表示处理中的业务返回码（910015）";
    InnerRefusal "inner_refusal" "9001.60" meets Request acts false
        till "declined" "declined（被拒绝）"
        param None,
        "a yes outside and the refusal inside the data: the balance is short (910001); nothing is taken"
        "外层成功，内层拒绝：余额不足（910001）；未扣款";
    EmptyFields "empty_fields" "9001.61" meets Consume acts true
        till "succeeded with ZV-W-EMPTY; strict_answer: unknown"
            "succeeded（成功），警告 ZV-W-EMPTY；启用 strict_answer 时为 unknown"
        param None,
        "the request is carried out, the answer is the vendor's own sample: every field of its data is empty"
        "已扣款，应答与平台方文档的示例相同：数据中的字段全部为空";
    FourDecimals "four_decimals" "9001.62" meets Request acts true
        till "succeeded" "succeeded（成功）"
        param None,
        "the right answer, its amounts with four decimals"
        "应答内容正确，金额带四位小数";
}
