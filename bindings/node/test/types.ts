// Compiled, never run: what a program in TypeScript may write, and what it may not.
import { Answer, Outcome, Zv, field } from "..";

async function sale(zv: Zv): Promise<boolean> {
  const quote: Answer = await zv.couponQuote({
    user_coupon_id: "390962138708451328", user_id: "383933091455959041", multi_mark: "S1",
    items: [{ num: 1, trade_mark: "201909280011111", price: "28.00" }],
  });
  const answer = zv.consumeSync({ bizId: "T1-1", customerId: "383933091455959041", amount: quote.get("data.coupon_discount") });
  // @ts-expect-error: a consume has a bizId
  zv.consumeSync({ customerId: "383933091455959041", amount: "23.00" });
  // @ts-expect-error: money is text
  zv.consumeSync({ bizId: "T1-1", amount: 23.1 });
  // @ts-expect-error: kept or undone
  zv.settle({ bizId: "T1-1", as: "lost", by: "Wang", reason: "-" });
  // @ts-expect-error: no such outcome
  if (answer.outcome === "success") return true;
  switch (answer.outcome) {
    case Outcome.SUCCEEDED:
      return field(answer.text, "data.bizId") !== "";
    case "declined":
      return false;
    default:
      return zv.lookup({ bizId: "T1-1" }).succeeded;
  }
}

const zv = Zv.start({ openId: "a", timeouts_ms: { connect: 3000 } }, { library: "./libzvpos.so" });
sale(zv).then(() => zv.shutdown().outcome);
