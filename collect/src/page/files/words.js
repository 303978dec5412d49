// Every word of the page in both languages. What the server explains it says in both by itself: see `said`.

import { language, translatePage, word } from "./language.js";

export { otherLanguage, setLanguage } from "./language.js";

const WORDS = {
  collector: ["collector", "汇总"],
  chain: ["Chain", "连锁"],
  day: ["Business day", "营业日"],
  close_day: ["Close the day", "日结"],
  close_question: ["Close the business day ", "确认日结，营业日 "],
  closed_by: ["Closed by", "日结人"],
  accept: ["Close it although: ", "仍然日结，尽管："],
  cancel: ["Cancel", "取消"],
  token_title: ["The admin token of this collector, as zv collect init has printed it", "请输入本汇总库的管理令牌（由 zv collect init 输出）"],
  token: ["Admin token", "管理令牌"],
  show: ["Show", "查看"],
  link_connecting: ["Connecting…", "正在连接…"],
  link_live: ["Live", "实时"],
  clean: ["Nothing is open, missing or different.", "无未结、无缺口、无差异。"],
  not_clean: ["Not clean: ", "尚有问题："],
  was_closed: ["Closed by ", "已日结，日结人："],
  since_closing: ["Since then: ", "日结之后："],
  comma: [", ", "，"],
  sales: ["Sales", "销售"],
  refunds: ["Refunds", "退款"],
  net: ["Net", "净额"],
  recharge: ["Recharged balance", "充值余额"],
  gift: ["Gift balance", "赠送余额"],
  points: ["Points", "积分"],
  coupons: ["Coupons", "券"],
  tills_heard: ["Tills enrolled", "登记的收银机"],
  by_hour: ["The day by hour", "当日各时段"],
  by_age: ["Unsettled entries by age", "未结笔数（按时长）"],
  below_5_min: ["< 5 min", "5 分钟内"],
  below_1_h: ["< 1 h", "1 小时内"],
  below_1_day: ["< 1 day", "1 天内"],
  below_7_days: ["< 7 days", "7 天内"],
  older: ["older", "更久"],
  no_sales: ["No sale on this day.", "当日没有销售。"],
  none_open: ["Nothing is unsettled.", "没有未结的单据。"],
  differences: ["Differences", "差异"],
  gaps: ["Gaps", "缺口"],
  accepted_gaps: ["Gaps that were looked at", "已核查的缺口"],
  retired: ["Retired tills", "已停用的收银机"],
  other_environments: ["Test environments, in no total", "测试环境（不计入合计）"],
  environment: ["Environment", "环境"],
  gap: ["No.", "编号"],
  from_day: ["From", "起始营业日"],
  by: ["By", "经手人"],
  when: ["When", "时间"],
  reason: ["Reason", "原因"],
  set_aside: ["No longer awaited", "不再等待"],
  silent: ["Silent tills, and tills that lack something of the day", "无消息或未传完的收银机"],
  unsettled: ["Unsettled anywhere", "全部未结"],
  shops: ["Shops", "门店"],
  tills: ["Tills", "收银机"],
  none: ["None.", "无。"],
  more: ["more", "更多"],
  shop: ["Shop", "门店"],
  till: ["Till", "收银机"],
  biz_id: ["bizId", "单号"],
  what: ["What", "说明"],
  since: ["Since", "时间"],
  last_seen: ["Last heard of", "最近消息"],
  never: ["never", "从未"],
  stage: ["Stage", "状态"],
  amount: ["Amount", "金额"],
  code: ["Code", "错误码"],
  count: ["Count", "笔数"],
};

const STAGES = {
  sending: ["sending", "发送中"],
  unknown: ["unknown", "结果未知"],
  reversing: ["reversing", "冲正中"],
  refused: ["reversal refused", "冲正被拒"],
  unproven: ["unproven", "无法证明"],
};

export const t = (key) => word(WORDS[key]) ?? key;
export const stageWord = (stage) => word(STAGES[stage]) ?? stage;
// A text of the server's in both languages.
export const said = (words) => (language() === "zh" ? words.zh : words.en);
export const translate = () => translatePage(t("collector"), t);
