//! Distinguishes what relays wrote into Redis from what anyone else wrote there.
//!
//! Write access to Redis must not decide who owns a session, what a watcher sees or which token is valid. Whatever is
//! trusted is authenticated with a key derived from the token secret, for exactly the key or channel where it is.
//! Presence, the order of claims and rates are not sealed: whoever forges those can have a source closed with 4409,
//! have names and numbers shown wrongly, and slow users down or not, but gains no ownership and can read nothing. They
//! can also delete everything, which costs what an absent Redis costs.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::{Config, Secret};
use crate::observe::log_limit::LogLimit;

/// What the key is for: it must not be the one that signs tokens.
const PURPOSE: &[u8] = b"mien redis 1";
/// Characters of a seal, in base64.
const SEAL_CHARS: usize = 43;
/// Invalid seals are logged at most this often: whoever writes them may write many.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Cheap to clone.
#[derive(Clone)]
pub struct Seal(Arc<Keys>);

struct Keys {
    current: Hmac<Sha256>,
    /// Key of an older secret, used by relays that have yet to be restarted.
    previous: Option<Hmac<Sha256>>,
    log: LogLimit,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(hidden)")
    }
}

impl Seal {
    pub fn of(config: &Config) -> Self {
        Self::new(config.token_secret.bytes(), config.previous_secret.as_ref().map(Secret::bytes))
    }

    pub(super) fn new(secret: &[u8], previous: Option<&[u8]>) -> Self {
        let keys =
            Keys { current: key(secret), previous: previous.map(key), log: LogLimit::new(LOG_INTERVAL) };
        Self(Arc::new(keys))
    }

    /// The text, sealed for a place: the key or the channel where it will stand.
    pub(super) fn close(&self, place: &str, text: &str) -> String {
        let seal = sealing(&self.0.current, place, text.as_bytes()).finalize().into_bytes();
        let mut sealed = String::with_capacity(SEAL_CHARS + 1 + text.len());
        URL_SAFE_NO_PAD.encode_string(seal, &mut sealed);
        sealed.push('\n');
        sealed.push_str(text);
        sealed
    }

    /// The text, if a relay with our secret sealed it for this place.
    pub(super) fn open<'a>(&self, place: &str, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let opened = self.check(place, sealed);
        if opened.is_none() {
            self.warn(place);
        }
        opened
    }

    fn check<'a>(&self, place: &str, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (seal, rest) = sealed.split_at_checked(SEAL_CHARS)?;
        let text = rest.strip_prefix(b"\n")?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        let fits = |key: &Hmac<Sha256>| sealing(key, place, text).verify_slice(&seal).is_ok();
        (fits(&self.0.current) || self.0.previous.as_ref().is_some_and(fits)).then_some(text)
    }

    fn warn(&self, place: &str) {
        if self.0.log.allow().is_some() {
            tracing::warn!(
                place,
                "Redis has what no relay with this token secret wrote; it is ignored. Another relay may be of an older \
                 version or have another MIEN_TOKEN_SECRET, or somebody else can write to this Redis"
            );
        }
    }
}

fn key(secret: &[u8]) -> Hmac<Sha256> {
    let derived = mac(secret).chain_update(PURPOSE).finalize().into_bytes();
    mac(&derived)
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn sealing(key: &Hmac<Sha256>, place: &str, text: &[u8]) -> Hmac<Sha256> {
    // Its length first, so that place and text cannot run into each other.
    key.clone().chain_update((place.len() as u64).to_le_bytes()).chain_update(place).chain_update(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_for_its_place_is_opened() {
        let (ours, theirs) = (Seal::new(&[1; 32], None), Seal::new(&[2; 32], None));
        let sealed = ours.close("mien:session:a", "text\nof two lines");
        assert_eq!(ours.open("mien:session:a", sealed.as_bytes()), Some(&b"text\nof two lines"[..]));
        assert_eq!(ours.open("mien:session:b", sealed.as_bytes()), None, "moved elsewhere");
        assert_eq!(theirs.open("mien:session:a", sealed.as_bytes()), None);
        assert_eq!(ours.open("mien:session:a", sealed.replace("two", "2").as_bytes()), None);
        for forged in ["", "text", "\ntext", &"A".repeat(43), &format!("{}\ntext", "A".repeat(43))] {
            assert_eq!(ours.open("mien:session:a", forged.as_bytes()), None, "{forged}");
        }
        let rotated = Seal::new(&[3; 32], Some(&[1; 32]));
        assert!(rotated.open("mien:session:a", sealed.as_bytes()).is_some());
        assert_eq!(ours.open("p", rotated.close("p", "").as_bytes()), None, "the older one seals nothing");
    }
}
