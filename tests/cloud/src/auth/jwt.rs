//! Tokens in the shape of a JWT. Clients read the user's name from `sub`; whether a token is good
//! is looked up, so that a test can revoke one, and the signature only completes the shape.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Signs `claims` with HMAC-SHA-256.
pub fn sign(secret: &[u8; 32], claims: &Value) -> String {
    let header = r#"{"alg":"HS256","typ":"JWT","kid":"local-cloud"}"#;
    let head = URL_SAFE_NO_PAD.encode(header);
    let body = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signed = format!("{head}.{body}");
    let signature = URL_SAFE_NO_PAD.encode(hmac(secret, signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn hmac(secret: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        for (slot, key) in block.iter_mut().zip(secret) {
            *slot ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message);
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize());
    outer.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha_256() {
        // RFC 4231, test case 2, has a shorter key; zero bytes at its end do not change the result.
        let mut key = [0_u8; 32];
        key[..4].copy_from_slice(b"Jefe");
        let found = hmac(&key, b"what do ya want for nothing?");
        let hex: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
