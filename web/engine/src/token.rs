//! When a token expires, by its own claims. Nothing here can verify one; the relay does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    /// Unix seconds.
    exp: u64,
}

/// When this token expires by the relay's clock, Unix milliseconds. `None` for anything that is not a token of the
/// contract.
pub fn expires_ms(token: &str) -> Option<u64> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Claims>(&payload).ok()?.exp.checked_mul(1_000)
}

/// When to get another token: a fifth of the lifetime before the end, so that several tries fit, and neither a clock that
/// is a little off nor a relay that is briefly away does any harm.
pub fn renew_at_ms(since_ms: u64, expires_ms: u64) -> u64 {
    since_ms.saturating_add(expires_ms.saturating_sub(since_ms) / 5 * 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("head.{}.signature", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_token_says_when_it_ends() {
        let signed = token(r#"{"aud":"mien","sub":"ä","exp":1800000000,"sid":null}"#);
        assert_eq!(expires_ms(&signed), Some(1_800_000_000_000));
        for other in [token("{}"), token(r#"{"exp":-1}"#), token(r#"{"exp":18446744073709551615}"#)] {
            assert_eq!(expires_ms(&other), None, "{other}");
        }
        for other in ["", "t", "a.b", "a.%.c", "a..c"] {
            assert_eq!(expires_ms(other), None, "{other}");
        }
    }

    #[test]
    fn a_fifth_of_its_life_is_left_when_another_is_wanted() {
        assert_eq!(renew_at_ms(1_000, 11_000), 9_000);
        assert_eq!(renew_at_ms(11_000, 1_000), 11_000, "long over: at once");
    }
}
