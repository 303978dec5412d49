//! The TLS handshake, made without verification and judged afterwards, so that the certificates can be shown even if
//! the library would refuse them. Nothing is ever sent over such a connection.

use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use zvpos_core::config::Config;
use zvpos_core::transport::Roots;

use super::Target;
use super::certificate::{Certificate, interceptor};
use crate::report::{Line, Status};
use crate::run::Run;
use crate::words::{Words, words};

const HANDSHAKE: Duration = Duration::from_secs(5);
/// The vendor renews in time; a certificate that expires sooner may have been forgotten.
const EXPIRY_WARNING_DAYS: i64 = 14;

/// Whether the library would trust the server.
pub(super) fn examine(run: &mut Run<'_>, config: &Config, target: &Target, stream: TcpStream) -> bool {
    let host = target.host.clone();
    let about = target.name();
    let seen = match run.within(HANDSHAKE, move || handshake(&host, stream)) {
        None => {
            run.out_of_time("tls", &about);
            return false;
        }
        Some(Err(why)) => {
            run.say(Line::failed(
                "tls",
                about,
                words!("握手失败：{why}", "the handshake fails: {why}"),
                words!(
                    "核对 endpoint 的端口是否为 https 端口，以及是否有防火墙或认证门户拦截",
                    "look whether the port in endpoint speaks https, and whether a firewall or portal stands between"
                ),
            ));
            return false;
        }
        Some(Ok(seen)) => seen,
    };
    let Some(leaf) = seen.chain.first().and_then(|der| Certificate::read(der)) else {
        run.say(Line::failed(
            "tls",
            about,
            words!("对方的证书无法读取", "the server's certificate cannot be read"),
            words!("核对 endpoint 的地址，必要时联系企迈", "look whether endpoint is right; ask the vendor"),
        ));
        return false;
    };
    let line = judge(config, target, &seen, &leaf)
        .with("version", seen.version)
        .with("issuer", leaf.issuer.clone())
        .with("not_after", leaf.not_after());
    let trusted = line.status != Status::Failed;
    run.say(line);
    trusted
}

/// The result of a handshake.
struct Seen {
    version: String,
    /// The server's own certificate first.
    chain: Vec<CertificateDer<'static>>,
}

fn handshake(host: &str, mut stream: TcpStream) -> Result<Seen, String> {
    let provider = Arc::new(ring::default_provider());
    let recorder = Arc::new(Recorder { provider: Arc::clone(&provider), chain: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(HANDSHAKE)).map_err(|error| error.to_string())?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|error| error.to_string())?;
    }
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    };
    let chain = recorder.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Seen { version, chain })
}

/// Stores the server's certificates, and accepts them for this handshake only.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) =
            all.map(|certificate| certificate.clone().into_owned()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether these roots verify the server's certificate, for this name and now.
fn verify(roots: &Roots, host: &str, seen: &Seen) -> Result<(), Error> {
    let mut store = RootCertStore::empty();
    match roots.certificates().map_err(Error::General)? {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(certificates) => {
            store.add_parsable_certificates(certificates.into_iter().map(CertificateDer::from));
        }
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let name = ServerName::try_from(host).map_err(|error| Error::General(error.to_string()))?;
    let (leaf, rest) = seen.chain.split_first().ok_or(Error::NoCertificatesPresented)?;
    verifier.verify_server_cert(leaf, rest, &name, &[], UnixTime::now()).map(drop)
}

fn judge(config: &Config, target: &Target, seen: &Seen, leaf: &Certificate) -> Line {
    let about = target.name();
    let (version, issuer, until) = (&seen.version, &leaf.issuer, leaf.not_after());
    let roots = &config.transport.roots;
    let shown = words!(
        "{version}，签发者 {issuer}，有效期至 {until}",
        "{version}, issued by {issuer}, valid until {until}"
    );
    let Err(error) = verify(roots, &target.host, seen) else {
        if let Some(product) = interceptor(issuer) {
            return Line::warning(
                "tls",
                about,
                shown.and(&words!("；连接被 {product} 解密检查", "; {product} reads along")),
                words!("在该软件中把网关域名加入例外", "except the gateway's host in that product"),
            );
        }
        let days = leaf.days_left();
        if days < EXPIRY_WARNING_DAYS {
            return Line::warning(
                "tls",
                about,
                shown.and(&words!("；仅剩 {days} 天", "; {days} days are left")),
                words!(
                    "提醒企迈（或证书的管理者）更新证书",
                    "remind the vendor, or the one who keeps the certificate, to renew it"
                ),
            );
        }
        return Line::ok("tls", about, shown);
    };
    let why = error.to_string();
    let found = shown.and(&words!("；不被信任：{why}", "; not trusted: {why}"));
    let remedy = match &error {
        Error::InvalidCertificate(certificate) => remedy_for(certificate, roots, target, seen, issuer),
        _ => words!("按上面的原因修改 tls 设置", "correct the tls setting as it says"),
    };
    Line::failed("tls", about, found, remedy)
}

/// What to do about a certificate that is not trusted.
fn remedy_for(error: &CertificateError, roots: &Roots, target: &Target, seen: &Seen, issuer: &str) -> Words {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => words!(
            "先校准本机的日期和时间；时间正确仍失败时，请企迈更新证书",
            "set the machine's date and time first; if they are right, the vendor has to renew the certificate"
        ),
        E::NotValidForName | E::NotValidForNameContext { .. } => words!(
            "证书不是这个域名的：核对 endpoint，并检查是否被门户或错误的 DNS 引到了别处",
            "the certificate is another name's: look at endpoint, and whether a portal or a wrong DNS leads elsewhere"
        ),
        _ if interceptor(issuer).is_some() => {
            let product = interceptor(issuer).unwrap_or_default();
            words!(
                "连接被 {product} 拦截解密：在该软件中把网关域名加入例外（HTTPS 扫描）",
                "{product} intercepts the connection: except the gateway's host in it (HTTPS scanning)"
            )
        }
        _ if *roots != Roots::System && verify(&Roots::System, &target.host, seen).is_ok() => words!(
            "只有操作系统的根证书信任它：确认是本企业的证书或杀毒软件之后，设置 \"tls\": {{\"roots\": \"system\"}}",
            "only the system's roots trust it: if that is your company's certificate or virus scanner, set \"tls\": {{\"roots\": \"system\"}}"
        ),
        _ if *roots != Roots::Bundled && verify(&Roots::Bundled, &target.host, seen).is_ok() => {
            words!(
                "内置的根证书信任它：去掉 tls 设置",
                "the bundled roots trust it: take the tls setting out"
            )
        }
        _ => words!(
            "没有已知的根证书信任它：核对 endpoint；自建网关的，以 \"tls\": {{\"pem\": 文件}} 给出其 CA 证书；否则可能有人冒充网关，不要放行",
            "no known root trusts it: look at endpoint; for a gateway of your own give its CA by \"tls\": {{\"pem\": FILE}}; else somebody may pretend to be the gateway, do not let it through"
        ),
    }
}
