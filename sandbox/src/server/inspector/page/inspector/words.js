// Every word of the page in both languages. What the server explains it says in both by itself: see `said`.

const WORDS = {
  inspector: ["inspector", "检查台"],
  panels: ["Panels", "面板"],
  requests: ["Requests", "请求"],
  detail: ["Details", "详情"],
  members: ["Members", "会员"],
  ledger: ["Ledger", "账本"],
  faults: ["Faults", "故障"],
  clock: ["Clock", "时钟"],
  policy: ["Behaviour", "网关行为"],
  counter_requests: ["requests", "请求"],
  counter_connections: ["connections", "连接"],
  counter_faults: ["faults", "故障"],
  reset: ["Reset", "重置"],
  reset_question: [
    "Back to the seed data? Balances, coupons, the ledger, armed faults and this log are discarded.",
    "恢复到初始数据？余额、券、账本、待触发的故障和本页日志都会清空。",
  ],
  cancel: ["Cancel", "取消"],
  link_connecting: ["Connecting…", "正在连接…"],
  link_live: ["Live", "实时"],
  filter: ["Filter: bizId, member, rule, code…", "筛选：单号、会员、规则、错误码…"],
  kind: ["Which requests", "显示哪些请求"],
  kind_all: ["All", "全部"],
  kind_refused: ["Refused", "被拒绝"],
  kind_fault: ["With a fault", "有故障"],
  kind_effect: ["Moved money", "有扣退"],
  pause: ["Pause", "暂停"],
  resume: ["Resume", "继续"],
  skipped: ["requests came faster than they could be shown and were left out.", "条请求来得太快，未能显示。"],
  nothing_yet: ["No request yet. Point a till at the gateway's address and send one.", "还没有请求。把收银端的网关地址指向本模拟器，发一笔试试。"],
  nothing_fits: ["No request fits the filter.", "没有符合筛选条件的请求。"],
  new_requests: ["new requests, the last one:", "条新请求，最近一条："],
  open_one: ["Choose a request to see what was signed, what was decided and why.", "选择一条请求，查看签名原文、判定结果及原因。"],
  kept_away: ["not handled", "未处理"],
  taken: ["taken", "已扣"],
  given_back: ["given back", "已退"],
  fault_played: ["Fault that was played", "触发的故障"],
  till_sees: ["The till should see:", "收银端应得到："],
  signed_text: ["Signed text", "签名原文"],
  no_signed_text: ["Nothing was signed: the envelope was not read.", "未读到请求信封，没有签名原文。"],
  params: ["Params, decoded", "业务参数（已解码）"],
  no_params: ["The params were not read.", "未读取业务参数。"],
  answer: ["Answer", "应答"],
  no_answer: ["The gateway made none.", "网关没有应答。"],
  answer_before_fault: ["As the gateway made it, before the fault did its work.", "网关原本的应答，故障发生之前。"],
  effect: ["Ledger", "账本"],
  effect_taken: ["This request was carried out: +1 stands under its bizId.", "本次请求已扣款/核销：该单号净额 +1。"],
  effect_back: ["This request gave a deduction back: −1 under its bizId.", "本次请求已退回：该单号净额 −1。"],
  effect_none: ["This request changed nothing.", "本次请求没有引起任何变动。"],
  net_now: ["Now:", "当前："],
  no_entries: ["Nothing was ever done for this bizId.", "该单号下没有任何记录。"],
  net_0: ["nothing stands", "无扣款"],
  net_1: ["deduction stands", "笔扣款有效"],
  net_other: ["stand: not one", "笔：不应如此"],
  kind_consume: ["Consume", "核销扣款"],
  kind_partial_consume: ["Consume, in part", "部分扣款"],
  kind_reverse: ["Reversal", "冲正"],
  kind_coupon_reverse: ["Coupons given back", "券冲正"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  member: ["Member", "会员"],
  total: ["Balance", "余额合计"],
  recharge: ["Recharged", "充值余额"],
  gift: ["Given", "赠送余额"],
  points: ["Points", "积分"],
  coupons: ["Coupons", "券"],
  times_left: ["uses left", "次可用"],
  first_members: ["The first 100 members by number.", "仅显示编号最前的 100 位会员。"],
  use_status_0: ["usable", "可用"],
  use_status_1: ["redeemed", "已核销"],
  use_status_2: ["frozen", "已冻结"],
  use_status_4: ["being given away", "转赠中"],
  use_status_5: ["gift timed out", "转赠超时"],
  use_status_6: ["expired", "已过期"],
  use_status_7: ["deleted", "已删除"],
  ledger_hint: ["What was really done, by bizId, the latest first.", "按单号列出网关实际做过的事，最近的在前。"],
  ledger_empty: ["Nothing was done yet.", "还没有任何扣款。"],
  last_records: ["The last 100 bizIds.", "仅显示最近的 100 个单号。"],
  returned: ["answered as", "应答中的单号"],
  fault: ["Fault", "故障"],
  faults_hint: [
    "A fault waits for the next request that fits. Or let a consume ask for one: a bizId that ends with ~NAME or ~NAME:NUMBER.",
    "故障会在下一个符合条件的请求上触发。也可以由核销请求自己指定：单号以 ~故障名 或 ~故障名:数值 结尾。",
  ],
  for_operation: ["Operation", "接口"],
  any_operation: ["Any operation", "任意接口"],
  times: ["How many requests", "触发次数"],
  times_hint: ["Empty: until it is disarmed", "留空：一直触发，直到解除"],
  arm: ["Arm the fault", "布置故障"],
  armed: ["Armed", "待触发"],
  none_armed: ["No fault is waiting.", "没有待触发的故障。"],
  disarm: ["Disarm all", "全部解除"],
  until_disarmed: ["until disarmed", "直到解除"],
  more_times: ["more", "次"],
  chaos: ["Chaos", "随机故障"],
  chaos_hint: ["Faults by chance, with a seed; empty for none", "按概率触发故障，可指定种子；留空则关闭"],
  set_chaos: ["Set", "应用"],
  clock_true: ["The machine's time", "与本机时间一致"],
  clock_off: ["from the machine's time", "（相对本机时间）"],
  clock_stands: ["The clock stands:", "时钟已停："],
  unit_d: ["d", "天"],
  unit_h: ["h", "小时"],
  unit_min: ["min", "分"],
  unit_s: ["s", "秒"],
  advance_minute: ["+1 minute", "+1 分钟"],
  advance_hour: ["+1 hour", "+1 小时"],
  advance_day: ["+1 day", "+1 天"],
  advance_month: ["+30 days", "+30 天"],
  freeze: ["Stop the clock", "停住时钟"],
  unfreeze: ["Let it run", "恢复走时"],
  clock_back: ["Back to the machine's time", "恢复本机时间"],
  set_clock: ["Set the clock (this browser's time zone)", "设定时间（浏览器所在时区）"],
  set: ["Set", "设定"],
  clock_hint: [
    "The gateway goes by this clock: coupons expire, reversals come too late.",
    "网关按此时钟行事：券会过期，冲正会超出时限。",
  ],
  policy_hint: [
    "What nobody has published about the vendor's gateway. Try each of its ways.",
    "厂商网关未公开的行为。各种可能都可以在这里试。",
  ],
  policy_default: ["Back to the defaults", "恢复默认"],
};

const OPERATION_WORDS = {
  consume: ["Consume", "核销扣款"],
  quote: ["Quote", "用券试算"],
  reverse: ["Reverse", "冲正"],
  coupon_reverse: ["Coupon reverse", "券冲正"],
  balance_by_biz: ["Balance by bizId", "按单号查扣款"],
  coupon_status: ["Coupon status", "券状态"],
  member: ["Member look-up", "会员查询"],
  usable: ["Usable coupons", "可用券"],
};

export const OPERATIONS = Object.keys(OPERATION_WORDS);

const RULE_WORDS = {
  ok: ["Carried out", "已执行"],
  fault: ["Kept from the gateway by a fault", "被故障拦截，未到网关"],
  connection: ["Never a whole request", "请求不完整"],
  method: ["Not a POST", "请求方式错误"],
  operation: ["Unknown operation", "接口不存在"],
  params: ["Wrong parameters", "参数错误"],
  signature: ["Wrong signature", "签名错误"],
  timestamp: ["Timestamp outside the window", "时间戳超出有效期"],
  nonce: ["Nonce used before", "随机数重复"],
  "consume.balance": ["Not enough balance", "余额不足"],
  "consume.duplicate": ["bizId used before", "单号重复"],
  "consume.with_effect": ["Carried out, and refused by policy", "已扣款，却按策略返回拒绝"],
  "consume.pay_password": ["Wrong payment password", "支付密码错误"],
  "consume.points": ["Not enough points", "积分不足"],
  "consume.reversed_before": ["Reversed before it came", "先到的冲正已使其作废"],
  "coupon.expired": ["Coupon expired", "券已过期"],
  "coupon.goods": ["Coupon does not fit the goods", "券不适用于所购商品"],
  "coupon.min_spend": ["Below the coupon's minimum", "未达到用券门槛"],
  "coupon.state": ["Coupon in another state", "券状态不可用"],
  "coupon.unknown": ["Unknown coupon", "券不存在"],
  "coupon.used": ["Coupon used up", "券已用完"],
  "lookup.nothing": ["Nothing found", "查无结果"],
  "member.unknown": ["Unknown member", "会员不存在"],
  "reverse.already": ["Reversed before", "已冲正过"],
  "reverse.amount": ["Another amount", "冲正金额不符"],
  "reverse.coupon": ["Coupon not of this deduction", "券不属于该笔扣款"],
  "reverse.member": ["Another member", "会员不符"],
  "reverse.not_found": ["Nothing to reverse", "没有可冲正的扣款"],
  "reverse.refused": ["Reversals are refused by policy", "按策略拒绝冲正"],
  "reverse.too_late": ["Too late to reverse", "超过冲正时限"],
};

const pair = ([en, zh]) => ({ en, zh });

// The fields of the policy: what each means, and its ways.
export const POLICY = {
  sign_names: { ...pair(["Names in the signed text", "签名原文中的字段名"]), options: {
    lower: pair(["lower case", "小写开头"]), as_sent: pair(["as in the body", "与请求体一致"]) } },
  timestamp_window_s: pair(["How far a timestamp may be off, seconds", "时间戳允许偏差（秒）"]),
  clock_offset_ms: pair(["How far the gateway's clock is off, milliseconds", "网关时钟偏差（毫秒）"]),
  nonces_max: pair(["How many nonces are remembered", "记住的随机数个数"]),
  nonces_once: pair(["A nonce is good only once", "随机数只能用一次"]),
  same_biz_id: { ...pair(["A consume whose bizId was used", "单号重复的核销"]), options: {
    first_answer: pair(["gets the first answer", "返回首次应答"]), duplicate: pair(["is refused", "拒绝"]),
    again: pair(["is carried out again", "再扣一次"]) } },
  returned_biz_id: { ...pair(["The bizId in the answer", "应答中的单号"]), options: {
    same: pair(["the one that was sent", "与请求相同"]), other: pair(["one of the gateway's own", "网关另行生成"]) } },
  reverse_by_sent: pair(["A reversal finds a consume by the bizId that was sent", "可用请求单号冲正"]),
  reversal_acts_twice: pair(["A second reversal gives back again", "重复冲正会重复退回"]),
  unknown_reversal: { ...pair(["A reversal of something unknown", "冲正不存在的扣款"]), options: {
    not_found: pair(["is refused", "返回不存在"]), success: pair(["succeeds", "返回成功"]) } },
  remember_unknown_reversals: pair(["Such a reversal stops a late original", "先到的冲正会拦住迟到的原请求"]),
  already_reversed: { ...pair(["A reversal of something reversed", "冲正已冲正的扣款"]), options: {
    code: pair(["is refused", "返回已冲正"]), success: pair(["succeeds", "返回成功"]) } },
  refuse_reversals: pair(["Every reversal is refused", "拒绝一切冲正"]),
  reversal_window_ms: pair(["When a reversal is too late, milliseconds; empty: never", "冲正时限（毫秒），留空不限"]),
  refusals: { ...pair(["What a refused consume leaves behind", "被拒绝的核销留下什么"]), options: {
    clean: pair(["nothing", "什么也不扣"]), partial: pair(["the parts that could be taken", "扣下能扣的部分"]),
    full_effect: pair(["all, though it is refused", "全部扣下，却返回拒绝"]),
    coupons_only: pair(["the coupons, though it is refused", "只核销券，却返回拒绝"]) } },
  till_follows: pair(["Tills' clocks move with it", "视为收银端时钟同步移动"]),
};

const KEY = "zvpos-language";

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // A browser that keeps nothing for this page.
    return null;
  }
}

let chosen = remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export const language = () => chosen;

const word = (two) => two?.[chosen === "zh" ? 1 : 0];

export const t = (key) => word(WORDS[key]) ?? key;
export const operationWord = (name) => (name ? (word(OPERATION_WORDS[name]) ?? name) : null);
// A text of the server's, such as `explanation`: the Chinese one is beside it as `explanation_zh`.
export const said = (thing, name) => thing[chosen === "zh" ? `${name}_zh` : name];
export const ruleWord = (rule) => word(RULE_WORDS[rule]) ?? rule;

export function otherLanguage() {
  return chosen === "zh" ? { name: "en", tag: "en", word: "English" } : { name: "zh", tag: "zh-CN", word: "中文" };
}

export function setLanguage(name) {
  chosen = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // It holds until the page is left.
  }
}

// The words that stand in the page itself.
export function translate() {
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  document.title = `zvpos ${t("inspector")}`;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}
