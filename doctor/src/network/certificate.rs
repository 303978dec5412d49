//! The facts of a certificate that matter to a person: its issuer and its expiry.

use std::time::SystemTime;

use x509_cert::der::Decode;
use zvpos_core::calendar::timestamp;

use crate::run::unix_ms;

/// Products that intercept TLS, by a part of the name under which they issue certificates. Each names its root after
/// itself.
const INTERCEPTORS: [(&str, &str); 17] = [
    ("kaspersky", "Kaspersky"),
    ("avast", "Avast"),
    ("avg ", "AVG"),
    ("eset", "ESET"),
    ("bitdefender", "Bitdefender"),
    ("360", "360 安全软件"),
    ("huorong", "火绒"),
    ("qianxin", "奇安信"),
    ("sangfor", "深信服"),
    ("zscaler", "Zscaler"),
    ("fortinet", "Fortinet"),
    ("fortigate", "Fortinet"),
    ("sophos", "Sophos"),
    ("mcafee", "McAfee"),
    ("fiddler", "Fiddler"),
    ("charles proxy", "Charles"),
    ("mitmproxy", "mitmproxy"),
];

/// The product that issues under this name.
pub(super) fn interceptor(issuer: &str) -> Option<&'static str> {
    let issuer = issuer.to_lowercase();
    INTERCEPTORS.into_iter().find(|(part, _)| issuer.contains(part)).map(|(_, product)| product)
}

/// A certificate's issuer and expiry.
pub(super) struct Certificate {
    pub(super) issuer: String,
    not_after_s: i64,
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Option<Certificate> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let not_after = body.validity().not_after.to_unix_duration().as_secs();
        Some(Certificate { issuer: body.issuer().to_string(), not_after_s: i64::try_from(not_after).ok()? })
    }

    /// The end of its validity, in UTC.
    pub(super) fn not_after(&self) -> String {
        timestamp(self.not_after_s.saturating_mul(1000))
    }

    /// The number of whole days for which it is still valid, by the till's clock.
    pub(super) fn days_left(&self) -> i64 {
        (self.not_after_s - unix_ms(SystemTime::now()) / 1000).div_euclid(86_400)
    }
}

#[cfg(test)]
mod tests {
    use super::interceptor;

    #[test]
    fn a_scanner_issues_under_its_own_name() {
        assert_eq!(interceptor("CN=Kaspersky Anti-Virus Personal Root Certificate"), Some("Kaspersky"));
        assert_eq!(interceptor("CN=R11,O=Let's Encrypt,C=US"), None);
    }
}
