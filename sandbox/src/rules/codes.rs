//! Every code that the sandbox answers. The vendor's full list is OPEN, so each code that no integration has been seen
//! to receive is the sandbox's own and begins with 9.

/// Success (DOC).
pub const SUCCESS: &str = "0";

// System codes, answered with `status: false`.

/// Bad parameters: `Params` is not an object, or a field is missing or malformed (SEEN).
pub const BAD_PARAMS: &str = "100002";
/// The signature is refused (SEEN). A timestamp outside the window has the same code (SANDBOX).
pub const SIGNATURE: &str = "110004";
/// The nonce was used before: try again with a new one (SEEN).
pub const NONCE: &str = "110007";
/// No such `Action` or path (SANDBOX).
pub const UNKNOWN_OPERATION: &str = "900001";
/// Not a POST (SANDBOX).
pub const NOT_POST: &str = "900002";
/// The system is busy: the answer of the faults `system_error` and `system_error_after` (SANDBOX).
pub const SYSTEM_BUSY: &str = "900099";

// Business codes, answered with `status: true`.

/// A look-up without a result, or with an unsupported type (code SEEN; that it is a business code is SANDBOX).
pub const NOT_FOUND: &str = "100007";
/// 余额不足 (SANDBOX).
pub const BALANCE: &str = "910001";
/// 优惠券不存在; also if the coupon belongs to another member (SANDBOX).
pub const COUPON_UNKNOWN: &str = "910002";
/// 优惠券已核销 (SANDBOX).
pub const COUPON_USED: &str = "910003";
/// 优惠券已过期 (SANDBOX).
pub const COUPON_EXPIRED: &str = "910004";
/// 未达到最低消费 (SANDBOX).
pub const COUPON_MIN_SPEND: &str = "910005";
/// 商品不适用 (SANDBOX).
pub const COUPON_GOODS: &str = "910006";
/// 优惠券状态不可用: frozen, given away, deleted (SANDBOX).
pub const COUPON_STATE: &str = "910007";
/// 会员不存在 (SANDBOX).
pub const MEMBER_UNKNOWN: &str = "910008";
/// 支付密码错误 (SANDBOX).
pub const PAY_PASSWORD: &str = "910009";
/// 积分不足 (SANDBOX).
pub const POINTS: &str = "910010";
/// 业务标识重复: the bizId was used before (SANDBOX, policy `same_biz_id`).
pub const DUPLICATE: &str = "910011";
/// 处理失败: a refusal after an effect (SANDBOX, policy `refusals: full_effect` and `coupons_only`).
pub const FAILED_AFTER_EFFECT: &str = "910012";
/// A late original whose reversal was answered before it arrived: not executed (SANDBOX, policy
/// `remember_unknown_reversals`).
pub const REVERSED_BEFORE: &str = "910013";
/// 请求过于频繁: too many requests (SANDBOX, fault `rate_limited`).
pub const TOO_MANY: &str = "910014";
/// 交易处理中: a code that is not a refusal (SANDBOX, fault `processing`).
pub const PROCESSING: &str = "910015";
/// A code in words, as on the vendor's page (SANDBOX, fault `word_code`).
pub const IN_WORDS: &str = "E_BALANCE_LOW";

/// Reversal: no consume with that bizId (SANDBOX). A till configures it as its route's `not_found`.
pub const REVERSE_NOT_FOUND: &str = "920001";
/// Reversal: already reversed (SANDBOX). A till configures it as its route's `already`.
pub const REVERSE_ALREADY: &str = "920002";
/// Reversal: refused (SANDBOX, policy `refuse_reversals`).
pub const REVERSE_REFUSED: &str = "920003";
/// Reversal: too late (SANDBOX, policy `reversal_window_ms`).
pub const REVERSE_TOO_LATE: &str = "920004";
/// Reversal: amount, member or coupons differ from what was taken (SANDBOX).
pub const REVERSE_MISMATCH: &str = "920005";
