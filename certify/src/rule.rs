//! The rules for a till, and the fix for each violation.

use serde::Serialize;

use crate::sale::SaleState;
use crate::text::{Text, text};

macro_rules! rules {
    ($($rule:ident $word:literal $what_en:literal $what_zh:literal remedy $remedy_en:literal $remedy_zh:literal;)+) => {
        /// The rule that a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $(#[doc = $what_en] $rule,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Rule] = &[$(Rule::$rule,)+];

            /// Its name in the report.
            pub fn word(self) -> &'static str {
                match self { $(Rule::$rule => $word,)+ }
            }

            /// The violation.
            pub fn what(self) -> Text {
                match self { $(Rule::$rule => text($what_en, $what_zh),)+ }
            }

            /// The fix.
            pub fn remedy(self) -> Text {
                match self { $(Rule::$rule => text($remedy_en, $remedy_zh),)+ }
            }
        }
    };
}

rules! {
    NotTaken "not_taken" "completed, but nothing is taken"
        "交易已完成，但未扣款"
        remedy "Complete a sale only where next is complete_sale. An outcome unknown is no success."
        "仅当 next 为 complete_sale 时才能完成交易；unknown 不是成功。";
    Twice "twice" "taken more than once for one sale"
        "同一笔交易重复扣款"
        remedy "One sale has one bizId: make it once, store it, and send it again on every retry."
        "一笔交易只用一个 bizId：生成一次、先存盘，重试时仍用同一个。";
    TakenNotCompleted "taken_not_completed" "taken, but the till did not complete the sale"
        "已扣款，但收银机未完成交易"
        remedy "Store every attempt before the call; after a restart look up what has no end, and do what next says."
        "调用前先把每次尝试存盘；重启后逐一查询没有结果的尝试，并按 next 处理。";
    WrongSum "wrong_sum" "another sum, coupon or number of points was taken than was to be paid"
        "扣除的金额、优惠券或积分与应付不符"
        remedy "The amount is what is to be paid less data.coupon_discount of the quote; amounts are decimal text, never floating point."
        "金额应为应付额减去试算返回的 data.coupon_discount；金额一律用十进制文本，不用浮点数。";
    SaidSum "said_sum" "paid_by_member is not what was taken"
        "paid_by_member 与实际扣款不符"
        remedy "Add data.change_recharge_amount and data.change_gift_amount of the answer, and store the sum with the sale."
        "将应答中的 data.change_recharge_amount 与 data.change_gift_amount 相加，并与交易一同保存。";
    NewBizId "new_biz_id" "more than one bizId for one sale"
        "同一笔交易使用了多个 bizId"
        remedy "Send the stored bizId again. Another bizId is another payment, and nothing keeps it from being taken, too."
        "重试时必须使用已存盘的 bizId。换一个 bizId 就是另一笔付款，有可能再次扣款。";
    Forgotten "forgotten" "the till does not know a sale that it had begun"
        "收银机不记得已开始的交易"
        remedy "Keep the sales in a file that is on disk (fsync) before each call, and read it when the program starts."
        "每次调用前把交易写入文件并 fsync，程序启动时读回。";
    Withdrawn "withdrawn" "what the cashier was told was changed afterwards"
        "告知收银员的结果事后被改变"
        remedy "completed and other_tender are final: the goods are gone, or the customer has paid in another way. Store them before showing them."
        "completed 与 other_tender 是最终结果：商品已交付，或顾客已用其他方式付款。先存盘再显示。";
    NextIgnored "next_ignored" "the till did not do what next says"
        "未按 next 的指示处理"
        remedy "Decide by next, not by outcome or code: the same outcome may have another next (other_tender after a not_sent, store_then_confirm after a succeeded)."
        "应按 next 决定下一步，而不是按 outcome 或 code：同一 outcome 的 next 可能不同（not_sent 之后可能是 other_tender，succeeded 之后可能是 store_then_confirm）。";
    Guessed "guessed" "completed without proof"
        "没有依据就完成了交易"
        remedy "An unknown is neither yes nor no. Complete the sale only after next complete_sale, at once or by a later look-up."
        "unknown 既不是成功也不是失败。只有当时或之后查询得到 next 为 complete_sale，才能完成交易。";
    NotWaiting "not_waiting" "a sale that nobody knows the end of was taken for a failure"
        "把结果未知的交易当作失败处理"
        remedy "While next is wait, show the sale as waiting, look it up now and then, and take nothing for it, under no bizId."
        "next 为 wait 时，应显示“待核实”并不时查询，在此期间不得以任何 bizId 再次扣款。";
    Unconfirmed "unconfirmed" "completed, but not confirmed: the library will undo it"
        "已完成但未确认：动态库将把它冲正"
        remedy "On next store_then_confirm store the sale, call zv_confirm_json, and complete it if next is then complete_sale."
        "next 为 store_then_confirm 时，先保存交易，再调用 zv_confirm_json，其 next 为 complete_sale 才算完成。";
    Returned "returned" "the bizId that the answer carried was not kept"
        "未保存应答中的 bizId"
        remedy "Store data.bizId with the sale and say it as returnedBizId: another till can undo the sale only by that one."
        "将 data.bizId 与交易一同保存，并以 returnedBizId 报告：其他收银机只能凭它退回该笔交易。";
    Day "day" "the day's end is wrong"
        "日结结果有误"
        remedy "Compare by bizId in both directions: completed is succeeded or kept in zv_pending_json with day, everything else is not."
        "按 bizId 双向核对：收银机的 completed 对应 zv_pending_json（带 day）中的 succeeded 或 kept，其余均不应对应。";
    Result "result" "another result than the one that is right"
        "报告的结果不正确"
        remedy "See the table of results in docs/certify.md: each next has one result."
        "参见 docs/certify.zh-CN.md 的结果表：每个 next 对应一种结果。";
    Journal "journal" "the journal and the gateway say different things"
        "日志与网关账目不一致"
        remedy "Pass the configuration of the line start to zv_init as it is, and let every payment go through the library."
        "将 start 行中的配置原样传给 zv_init，所有付款都须经由动态库。";
    Unsettled "unsettled" "something is left that should have been settled"
        "应处理完的交易仍未决"
        remedy "Keep the program with the library running after zv_init; it needs no call to settle what is open."
        "zv_init 之后保持程序运行，未决交易会自动处理，无需额外调用。";
    Balance "balance" "the member's money is not what it should be"
        "会员资产与应有的不符"
        remedy "See the other findings: whatever is taken belongs to a sale that the till has completed."
        "参见其他问题：每一次扣款都应对应收银机已完成的一笔交易。";
    Protocol "protocol" "the till does not keep to the protocol"
        "收银程序不符合协议"
        remedy "stdout is for the protocol alone, a JSON object a line, flushed; write logs to stderr or a file."
        "stdout 仅用于协议：每行一个 JSON 对象并立即刷新；日志请写到 stderr 或文件。";
    Silent "silent" "the till does not answer in time"
        "收银程序未按时应答"
        remedy "Answer every line with a line done, also after an error, and flush stdout."
        "每一行命令都要以 done 行应答（出错时也一样），并刷新 stdout。";
    Died "died" "the till ended although nobody had ended it"
        "收银程序意外退出"
        remedy "See what it wrote to stderr. Only stop, or the end of its input, ends it."
        "请查看其 stderr 输出。只有 stop 或输入结束才应退出。";
    Certifier "certifier" "the scenario could not be played"
        "场景无法执行"
        remedy "This is no fault of the till: see the words."
        "并非收银程序的问题，详见说明。";
}

impl Rule {
    /// The rule that a till breaks by this result.
    pub(crate) fn explaining(reported: Option<SaleState>, wanted: &[SaleState]) -> Rule {
        let wants = |one: SaleState| wanted.contains(&one);
        match reported {
            None => Rule::Forgotten,
            Some(SaleState::Completed) => Rule::Guessed,
            Some(_) if wants(SaleState::Waiting) => Rule::NotWaiting,
            Some(SaleState::Waiting | SaleState::Retry) if wants(SaleState::OtherTender) => Rule::NextIgnored,
            Some(_) if wants(SaleState::Retry) => Rule::NextIgnored,
            Some(_) => Rule::Result,
        }
    }
}

/// A violation of a rule.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The sale, if the finding is about one.
    pub sale: Option<String>,
    /// The violation in general.
    pub what: Text,
    /// What was observed.
    pub seen: Text,
    /// The fix.
    pub remedy: Text,
}

impl Finding {
    pub(crate) fn of(rule: Rule, sale: Option<&str>, seen: Text) -> Finding {
        Finding { rule, sale: sale.map(str::to_owned), what: rule.what(), seen, remedy: rule.remedy() }
    }
}
