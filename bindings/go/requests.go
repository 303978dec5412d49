package zvpos

// The fields that most tills need, in the vendor's own words; docs/requests.md has all of them. Whatever marshals to a
// JSON object may be passed instead. Money and ids are text.

// Consumption takes coupons, stored balance or both.
type Consumption struct {
	BizID        string   `json:"bizId"`
	CustomerID   string   `json:"customerId,omitempty"`
	Coupons      []string `json:"couponsCardList,omitempty"`
	Type         int      `json:"type,omitempty"` // 1: Coupons holds scanned redemption codes
	Amount       string   `json:"amount,omitempty"`
	Points       int      `json:"points,omitempty"`
	PayPassword  string   `json:"payPassword,omitempty"`
	DeviceSN     string   `json:"deviceSn,omitempty"`
	OperatorID   string   `json:"operatorId,omitempty"`
	OperatorName string   `json:"operatorName,omitempty"`
	Remark       string   `json:"remark,omitempty"`
	MultiMark    string   `json:"multiMark,omitempty"`
	QuoteIDs     []string `json:"quoteIds,omitempty"`   // quoteId of each quote that the price relies on
	Items        []Item   `json:"items,omitempty"`      // with QuoteIDs: the basket as it is paid
	JournalID    string   `json:"journal_id,omitempty"` // data.journal_id of Init, as it was stored with the attempt
	Account      string   `json:"account,omitempty"`
}

// ConsumeData is the data of a consume that succeeded. Store BizID and what was taken: a reversal goes by them.
type ConsumeData struct {
	BizID            string   `json:"bizId"`
	Coupons          []string `json:"couponsCardList"`
	TakenFromBalance string   `json:"change_recharge_amount"`
	TakenFromGift    string   `json:"change_gift_amount"`
	Balance          string   `json:"recharge_amount"`
	GiftBalance      string   `json:"gift_amount"`
	TotalBalance     string   `json:"total_amount"`
}

// Quote asks what a coupon is worth on a basket.
type Quote struct {
	UserCouponID   string `json:"user_coupon_id,omitempty"`
	UserID         string `json:"user_id,omitempty"`
	Items          []Item `json:"items"`
	Type           int    `json:"type,omitempty"` // 1: UserCouponID is a scanned redemption code
	CouponCode     string `json:"coupon_code,omitempty"`
	DiscountPrice  string `json:"discount_price,omitempty"`
	MultiMark      string `json:"multi_mark,omitempty"`
	UsageScenarios int    `json:"usage_scenarios,omitempty"` // 1: in store
	Account        string `json:"account,omitempty"`
}

// Item is one line of a basket.
type Item struct {
	Num       int    `json:"num"`
	TradeMark string `json:"trade_mark"`
	Price     string `json:"price"`
}

// QuoteData is the data of a quote that succeeded.
type QuoteData struct {
	Discount string `json:"coupon_discount"`
	Items    []struct {
		TradeMark string `json:"trade_mark"`
		Off       string `json:"coupon_minus"`
	} `json:"goods_item"`
}

// Sale names a sale. ReturnedBizID is needed to reverse another till's; with JournalID, stored with the attempt, a
// reversal voids one that was never sent.
type Sale struct {
	BizID         string `json:"bizId"`
	ReturnedBizID string `json:"returnedBizId,omitempty"`
	JournalID     string `json:"journal_id,omitempty"`
	Account       string `json:"account,omitempty"`
}

// Attempt names an attempt as the till has stored it. JournalID is data.journal_id of Init, stored before the attempt:
// with it a look-up can say that nothing was ever sent.
type Attempt struct {
	BizID     string `json:"bizId"`
	JournalID string `json:"journal_id,omitempty"`
	Account   string `json:"account,omitempty"`
}

// Settlement is a person's decision about a sale whose result is unknown.
type Settlement struct {
	BizID   string `json:"bizId"`
	As      string `json:"as"` // "kept" or "undone"
	By      string `json:"by"`
	Reason  string `json:"reason"`
	Account string `json:"account,omitempty"`
}
