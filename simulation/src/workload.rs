//! What the tills sell: requests as a host writes them, over a few members and coupons, so that sales meet.

use std::sync::Arc;

use zvpos_sandbox::rules::Seed;

use crate::random::Random;

const MEMBERS: [&str; 6] = [
    "383933091455959041",
    "383933091455959042",
    "383933091455959043",
    "383933091455959044",
    "383933091455959045",
    "383933091455959046",
];

/// One sale.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The till's own id.
    pub biz_id: String,
    /// The request.
    pub request: String,
    /// Another request under the same id.
    pub other: String,
    /// The member.
    pub customer: &'static str,
    /// The amount of `request`, in yuan.
    pub amount: String,
    /// Another till's, with another journal; it succeeded there.
    pub foreign: bool,
    /// The identity of the journal, as the till has stored it with its first attempt.
    pub journal: Option<String>,
}

impl Sale {
    /// The next sale of that number.
    pub fn draw(random: &mut Random, number: usize, foreign: bool) -> Sale {
        let biz_id = format!("{}{number}", if foreign { "F" } else { "T" });
        let at = random.index(MEMBERS.len());
        let member = MEMBERS.get(at).copied().unwrap_or_default();
        let yuan = random.range(1, 30);
        let coupon = random.per_mille(300);
        let points = random.per_mille(100);
        let coupons = if coupon {
            // The first is good for ever, the second once: what is redeemed twice is refused.
            format!(", \"couponsCardList\": [\"39096213870845{:02}{at}\"]", random.pick(10, &[20]))
        } else {
            String::new()
        };
        let points = if points { ", \"points\": 3" } else { "" };
        let request = |fen: u64| {
            format!(
                "{{\"bizId\": \"{biz_id}\", \"customerId\": \"{member}\", \"amount\": \"{yuan}.{fen:02}\"{coupons}{points}}}"
            )
        };
        let amount = format!("{yuan}.50");
        Sale {
            request: request(50),
            other: request(51),
            biz_id,
            customer: member,
            amount,
            foreign,
            journal: None,
        }
    }
}

/// The gateway's data: members of whom some are poor, each with a coupon that lasts and one that does not.
///
/// # Errors
/// The data is refused: a defect of this module.
pub fn data() -> Result<Arc<Seed>, String> {
    let mut members = Vec::new();
    let mut coupons = Vec::new();
    for (at, member) in MEMBERS.iter().enumerate() {
        let (recharge, gift) = if at < 4 { ("5000.00", "5000.00") } else { ("20.00", "15.00") };
        members.push(format!(
            "{{\"customerId\": \"{member}\", \"memberCode\": \"M{at}\", \"phone\": \"1380000000{at}\", \
             \"cardNo\": \"880{at}\", \"nickname\": \"{at}\", \"recharge\": \"{recharge}\", \"gift\": \"{gift}\", \
             \"points\": 1000}}"
        ));
        for (kind, times) in [(10, 1_000_000), (20, 1)] {
            coupons.push(format!(
                "{{\"cardId\": \"39096213870845{kind}{at}\", \"couponId\": \"9{kind}\", \"customerId\": \"{member}\", \
                 \"name\": \"c\", \"couponType\": 0, \"amount\": \"5.00\", \"timesLeft\": {times}, \
                 \"redemptionCode\": \"60000{kind}{at}\", \"couponCode\": \"C{kind}{at}\"}}"
            ));
        }
    }
    let [open_id, grant_code, open_key] = crate::plan::CREDENTIALS;
    let json = format!(
        "{{\"accounts\": [{{\"openId\": \"{open_id}\", \"grantCode\": \"{grant_code}\", \"openKey\": \"{open_key}\"}}], \
         \"members\": [{}], \"coupons\": [{}]}}",
        members.join(", "),
        coupons.join(", ")
    );
    Seed::parse(&json).map(Arc::new)
}
