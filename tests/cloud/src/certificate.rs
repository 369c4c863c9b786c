//! A throw-away certificate authority, for clients that insist on TLS and on the service's own host names.
//!
//! It is made anew at every start and its key is never written, so trusting it outlives nothing.

use crate::{CloudError, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::path::{Path, PathBuf};

/// What the certificate is for, beside the loopback addresses.
const HOSTS: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "jfs.jottacloud.com",
    "api.jottacloud.com",
    "id.jottacloud.com",
    "www.jottacloud.com",
];

/// A certificate, and the authority that a client must trust to like it.
#[derive(Clone, Debug)]
pub struct ThrowAway {
    /// For [`crate::CloudOptions::tls`].
    pub tls: Tls,
    /// PEM file of the authority.
    pub authority: PathBuf,
}

/// Writes `ca.pem`, `cert.pem` and `key.pem` into `directory`, which is made if missing.
pub fn throw_away(directory: &Path) -> Result<ThrowAway, CloudError> {
    let io = |source| CloudError::Io {
        what: "the directory of the certificate",
        source,
    };
    let wrong = |error: rcgen::Error| CloudError::Tls(error.to_string());
    std::fs::create_dir_all(directory).map_err(io)?;

    let mut authority = CertificateParams::default();
    name_and_dates(&mut authority, "local cloud (throw-away)");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(wrong)?;
    let authority_pem = authority.self_signed(&key).map_err(wrong)?.pem();
    let issuer = Issuer::new(authority, key);

    let names = HOSTS.map(str::to_owned).to_vec();
    let mut leaf = CertificateParams::new(names).map_err(wrong)?;
    name_and_dates(&mut leaf, "localhost");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(wrong)?;
    let leaf_pem = leaf.signed_by(&key, &issuer).map_err(wrong)?.pem();

    let made = ThrowAway {
        tls: Tls {
            certificate: directory.join("cert.pem"),
            key: directory.join("key.pem"),
        },
        authority: directory.join("ca.pem"),
    };
    std::fs::write(&made.authority, authority_pem).map_err(io)?;
    std::fs::write(&made.tls.certificate, leaf_pem).map_err(io)?;
    std::fs::write(&made.tls.key, key.serialize_pem()).map_err(io)?;
    Ok(made)
}

/// Some platforms take no certificate that lives longer than two years.
fn name_and_dates(params: &mut CertificateParams, name: &str) {
    let today = jiff::Zoned::now().date();
    let date = |years: i16| {
        let (month, day) = (
            today.month().unsigned_abs(),
            today.day().unsigned_abs().min(28),
        );
        rcgen::date_time_ymd(i32::from(today.year() + years), month, day)
    };
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date(-1);
    params.not_after = date(1);
}
