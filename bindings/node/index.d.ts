/** What happened to the member's money. A sale is complete if and only if it is `succeeded`; for everything else
 * `Answer.next` says what to do. */
export type Outcome =
  /** The gateway did it, and the journal knows. */
  | "succeeded"
  /** The gateway said no; nothing was taken. */
  | "declined"
  /** Refused before sending; this call took nothing: fix the program. */
  | "invalid"
  /** No byte reached the gateway; nothing was taken: the same bizId may be tried again. */
  | "not_sent"
  /** It may have happened; never charge again under a new bizId. */
  | "unknown"
  /** A defect of the library or the machine; this call sent nothing: stop. */
  | "internal"
  /** It was done and is undone, or can no longer happen. */
  | "reversed"
  /** The bizId already belongs to another request: look it up. */
  | "conflict"
  /** A call that was started has not ended. */
  | "running";

/** The outcomes by name. */
export const Outcome: {
  readonly SUCCEEDED: "succeeded";
  readonly DECLINED: "declined";
  readonly INVALID: "invalid";
  readonly NOT_SENT: "not_sent";
  readonly UNKNOWN: "unknown";
  readonly INTERNAL: "internal";
  readonly REVERSED: "reversed";
  readonly CONFLICT: "conflict";
  readonly RUNNING: "running";
};

/** A value in a request. Ids are text: JavaScript rounds numbers of 17 and more digits. Money is text, too. */
export type Value = string | number | bigint | boolean | null | undefined | Value[] | { [name: string]: Value };

/** JSON text, or an object with the vendor's field names. */
export type Request = string | { [name: string]: Value };

export interface Item {
  num: number;
  trade_mark: string;
  price: string;
}

export interface QuoteRequest {
  user_coupon_id?: string;
  coupon_code?: string;
  user_id?: string;
  items: Item[];
  type?: number;
  usage_scenarios?: 0 | 1;
  [name: string]: Value | Item[];
}

export interface ConsumeRequest {
  /** The till's own, unique over all tills; stored before the call. */
  bizId: string;
  customerId?: string;
  couponsCardList?: string[];
  /** 元, at most two decimals. */
  amount?: string;
  type?: number;
  points?: number;
  remark?: string;
  /** `quoteId` of each quote that the price relies on: nothing is sent unless all of them still hold. */
  quoteIds?: string[];
  /** With `quoteIds`: the basket as it is paid. */
  items?: Item[];
  /** As in `LookupRequest`: under another journal nothing is sent. */
  journal_id?: string;
  account?: string;
  [name: string]: Value | Item[];
}

export interface SaleRequest {
  bizId: string;
  account?: string;
}

export interface LookupRequest extends SaleRequest {
  /** `data.journal_id` of `init`, stored with the attempt before it was made: then a look-up can say that nothing was
   * ever sent. */
  journal_id?: string;
}

export interface ReverseRequest extends SaleRequest {
  /** What the answer to the consume carried; needed for another till's sale. */
  returnedBizId?: string;
  /** `data.journal_id` of `init`, stored with the attempt: then one that was never sent is voided. */
  journal_id?: string;
}

export interface SettleRequest extends SaleRequest {
  as: "kept" | "undone";
  by: string;
  reason: string;
}

/** An answer of the library. */
export class Answer {
  private constructor();
  readonly outcome: Outcome;
  /** The whole answer as JSON, fit for a log. */
  readonly text: string;
  /** `outcome` is `succeeded`. With the option `confirm` the sale is complete only when this is true of `Zv.confirm`. */
  readonly succeeded: boolean;
  /** The one action to take now, such as `complete_sale` or `other_tender`. */
  readonly next: string;
  /** The gateway's code, or one of the library's, which begin with ZV-. */
  readonly code: string;
  /** For the programmer and the log. */
  readonly message: string;
  /** One short sentence for the cashier. */
  readonly cashier: string;
  /** The data as an object. Ids, money and integers beyond 2^53 are text; fractions in undocumented fields may be
   * rounded, `get` gives them exactly. */
  readonly data: any;
  /** One value as text: names and positions joined by points, such as `data.coupon_discount` or `errors.0.path`.
   * Lists and objects as JSON; "" where there is no such value. */
  get(path: string): string;
  /** The whole answer as an object. */
  toJSON(): any;
  toString(): string;
}

/** What `Zv.start` throws, and what a promise is rejected with if the library was stopped by other code. The message
 * names all that is wrong. */
export interface ZvError extends Error {
  answer: Answer;
}

/**
 * The started library. A process has one. No method throws, and no promise is rejected, because a payment did
 * not succeed: look at `Answer.outcome`.
 */
export class Zv {
  private constructor();
  /** Starts the library with this configuration; throws a `ZvError` if it is wrong. Leave `charset` out.
   * `library`: the path of libzvpos.so or zvpos.dll; else beside this package's code, else where the system finds it. */
  static start(config: Request, options?: { library?: string }): Zv;
  /** The library's version, such as 0.1.0. */
  static readonly version: string;
  /** The answer to the start: warnings, `data.journal`, and in `data.unacknowledged` what must be looked up. */
  readonly started: Answer;

  /** Quotes a coupon for a basket. Charges nothing. */
  couponQuote(request: string | QuoteRequest): Promise<Answer>;
  /** Redeems coupons, charges stored balance, or both. The same bizId may be sent again and is never charged twice. */
  consume(request: string | ConsumeRequest): Promise<Answer>;
  /** Reverses a complete consume (冲正). */
  reverse(request: string | ReverseRequest): Promise<Answer>;
  /** Sends a query that charges nothing, such as `member_lookup`. */
  call(action: string, params: Request): Promise<Answer>;
  /** Any operation of zv_start_json, such as `recover`. At most 64 at a time; beyond that `not_sent`. */
  begin(operation: string, request?: Request): Promise<Answer>;

  /** As `couponQuote`; blocks the event loop until it ends. */
  couponQuoteSync(request: string | QuoteRequest): Answer;
  /** As `consume`; blocks the event loop until it ends. */
  consumeSync(request: string | ConsumeRequest): Answer;
  /** As `reverse`; blocks the event loop until it ends. */
  reverseSync(request: string | ReverseRequest): Answer;
  /** As `call`; blocks the event loop until it ends. */
  callSync(action: string, params: Request): Answer;

  /** Makes a bizId, in the answer's `bizId`: no two agree, and a look-up needs no `journal_id` with it. */
  makeBizId(): Answer;
  /** Looks a bizId up in the journal. Sends nothing. */
  lookup(request: string | LookupRequest): Answer;
  /** Lists the sales that are not settled; with `day`, every sale of that day. */
  pending(request?: string | { day?: string; format?: "json" | "ndjson" | "csv"; account?: string }): Answer;
  /** Settles every sale that can be settled now. It blocks the event loop: better `begin("recover")`. */
  recover(request?: string | { account?: string }): Answer;
  /** Reports that the till has stored its sale (option `confirm`). */
  confirm(request: string | SaleRequest): Answer;
  /** Records a person's decision about a sale whose result is unknown. */
  settle(request: string | SettleRequest): Answer;
  /** Stops the library once every call has ended, each at its own deadline; blocks the event loop meanwhile. */
  shutdown(): Answer;
}

/** One value of any JSON text, as `Answer.get`. */
export function field(json: string, path: string): string;
