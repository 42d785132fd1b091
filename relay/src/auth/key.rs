//! Signs and reads tokens: JWTs, only HS256.
//!
//! A *user token* names a user; a *capability token* also names one session and a role in it. Tokens never reach a
//! log, and callers are never told why one is bad.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mien_shared::Role;
use uuid::Uuid;

use super::caller::Caller;
use super::claims::{Claims, ReadClaims};
use super::hs256;
use super::token::{BadToken, Issue, Token};
use crate::config::Config;

/// `aud` of every token.
const AUDIENCE: &str = "mien";

/// Signs and reads tokens.
pub struct TokenKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// Key of an older secret, which no longer signs anything.
    previous: Option<DecodingKey>,
    validation: Validation,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(hidden)")
    }
}

impl TokenKey {
    /// The key is the secret's bytes as they are; the configuration has checked how many there are.
    pub fn new(secret: &[u8]) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        // The library has one leeway for `exp` and `nbf`, and these have different ones.
        validation.validate_nbf = false;
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            previous: None,
            validation,
        }
    }

    /// With the secrets from a configuration.
    pub fn of(config: &Config) -> Self {
        let previous = config.previous_secret.as_ref().map(|secret| DecodingKey::from_secret(secret.bytes()));
        Self { previous, ..Self::new(config.token_secret.bytes()) }
    }

    /// A token for `caller` that ends at `exp`, Unix seconds.
    pub fn sign(&self, caller: &Caller, exp: u64) -> String {
        self.issue(caller, exp, Issue::now())
    }

    /// The same, issued at a time of the caller's choice.
    pub fn issue(&self, caller: &Caller, exp: u64, issue: Issue) -> String {
        let grant = caller.grant.as_ref();
        let claims = Claims {
            aud: AUDIENCE,
            sub: &caller.user,
            exp,
            // A NumericDate may have a fraction (RFC 7519). Without it a token issued right after all were revoked
            // would seem to be from before.
            iat: issue.at_ms as f64 / 1_000.0,
            jti: Uuid::new_v4(),
            auth_time: issue.first,
            sid: grant.map(|grant| grant.session),
            role: grant.map(|grant| grant.role),
            source: grant.filter(|grant| grant.role == Role::Ingest).map(|grant| &grant.source),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("claims are plain JSON and the key fits the algorithm")
    }

    /// Reads a token: whose it is.
    pub fn read(&self, token: &str) -> Result<Caller, BadToken> {
        self.verify(token).map(|token| token.caller)
    }

    pub fn verify(&self, token: &str) -> Result<Token, BadToken> {
        let claims = [Some(&self.decoding), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|key| jsonwebtoken::decode::<ReadClaims>(token, key, &self.validation).ok())
            .ok_or(BadToken)?
            .claims;
        claims.verify(token)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use mien_shared::SessionId;
    use mien_shared::api::SourceName;
    use serde_json::{Value, json};

    use super::*;
    use crate::auth::{Grant, Stamp};

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    const FUTURE: u64 = 4_000_000_000;

    fn session() -> SessionId {
        SessionId(Uuid::now_v7())
    }

    fn signed(claims: &Value) -> String {
        let header = Header::new(Algorithm::HS256);
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(SECRET)).unwrap()
    }

    /// With the right key and another algorithm.
    fn signed_otherwise(claims: &Value) -> String {
        use hmac::{Hmac, KeyInit, Mac};

        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mac = Hmac::<sha2::Sha512>::new_from_slice(SECRET).unwrap().chain_update(&message).finalize();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
    }

    /// A user's claims, with more or other ones.
    fn with(changes: Value) -> Value {
        let mut claims = json!({"aud": "mien", "sub": "a", "exp": FUTURE});
        if let (Value::Object(claims), Value::Object(changes)) = (&mut claims, changes) {
            claims.extend(changes);
        }
        claims
    }

    #[test]
    fn a_token_reads_back() {
        let key = TokenKey::new(SECRET);
        let user = Caller { user: "alice".to_owned(), grant: None };
        assert_eq!(key.read(&key.sign(&user, FUTURE)), Ok(user));
        let grant = Grant { session: session(), role: Role::Ingest, source: "cam-2".parse().unwrap() };
        let capability = Caller { user: "alice".to_owned(), grant: Some(grant) };
        let issue = Issue { at_ms: 1_763_907_600_123, first: 1_763_900_000 };
        let token = key.verify(&key.issue(&capability, FUTURE, issue)).unwrap();
        assert_eq!(token.caller, capability);
        let Stamp { id, issued_ms, expires, first } = token.stamp;
        assert!(id.parse::<Uuid>().is_ok(), "{id}");
        assert_eq!((issued_ms, expires, first), (Some(issue.at_ms), FUTURE, Some(issue.first)));
        let again = key.verify(&key.issue(&capability, FUTURE, issue)).unwrap();
        assert_ne!(again.stamp.id, id, "each has a name of its own");
    }

    #[test]
    fn a_bad_token_is_not_believed() {
        let key = TokenKey::new(SECRET);
        let good = with(json!({}));
        assert!(key.read(&signed(&good)).is_ok());
        assert_eq!(key.read(&signed_otherwise(&good)), Err(BadToken));
        let change = |name: &str, value: Value| key.read(&signed(&with(json!({ (name): value }))));
        let remove = |name: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            key.read(&signed(&claims))
        };
        let now = crate::clock::now().as_second();
        for bad in [
            change("exp", (now - 1).into()),
            change("aud", "other".into()),
            change("sub", "".into()),
            change("nbf", (now + 600).into()),
            change("nbf", "soon".into()),
            change("nbf", Value::Null),
            change("nbf", (-1).into()),
            change("sub", "a\0b".into()),
            remove("exp"),
            remove("aud"),
            remove("sub"),
            key.read(""),
            key.read("a.b.c"),
            TokenKey::new(&[7; 32]).read(&signed(&good)),
        ] {
            assert_eq!(bad, Err(BadToken));
        }
    }

    #[test]
    fn half_a_capability_is_no_token() {
        let key = TokenKey::new(SECRET);
        let id = session().to_string();
        for claims in [
            json!({"role": "owner"}),
            json!({"sid": id}),
            json!({"sid": null}),
            json!({"role": null}),
            json!({"source": null}),
            json!({"sid": null, "role": null}),
            json!({"sid": id, "role": null}),
            json!({"sid": null, "role": "owner"}),
            json!({"source": "main"}),
            json!({"sid": id, "source": "main"}),
            json!({"sid": id, "role": "ingest", "source": null}),
        ] {
            assert_eq!(key.read(&signed(&with(claims.clone()))), Err(BadToken), "{claims}");
        }
        let whole = key.read(&signed(&with(json!({"sid": id, "role": "ingest"})))).unwrap();
        assert_eq!(whole.grant.unwrap().source, SourceName::default());
    }

    #[test]
    fn clocks_may_differ_by_seconds_where_a_token_begins_and_not_where_it_ends() {
        let key = TokenKey::new(SECRET);
        let now = crate::clock::now().as_second();
        let reads = |claims: Value| key.read(&signed(&with(claims))).is_ok();
        assert!(reads(json!({"nbf": now + 1})));
        assert!(reads(json!({"nbf": now + 5})));
        assert!(reads(json!({"nbf": now as f64 - 0.5})));
        assert!(!reads(json!({"nbf": now + 60})));
        assert!(!reads(json!({"exp": now - 1})));
    }

    #[test]
    fn an_older_secret_is_believed_and_signs_nothing() {
        let old = TokenKey::new(&[7; 32]);
        let user = Caller { user: "alice".to_owned(), grant: None };
        let key = TokenKey { previous: Some(DecodingKey::from_secret(&[7; 32])), ..TokenKey::new(SECRET) };
        assert_eq!(key.read(&old.sign(&user, FUTURE)), Ok(user.clone()));
        assert_eq!(key.read(&key.sign(&user, FUTURE)), Ok(user.clone()));
        assert_eq!(old.read(&key.sign(&user, FUTURE)), Err(BadToken));
        assert_eq!(key.read(&TokenKey::new(&[8; 32]).sign(&user, FUTURE)), Err(BadToken));
    }

    #[test]
    fn tokens_of_embedders_have_a_name_and_a_date_as_far_as_they_say() {
        let key = TokenKey::new(SECRET);
        let stamp = |claims: Value| key.verify(&signed(&with(claims))).unwrap().stamp;
        let bare = stamp(json!({}));
        assert!(bare.id.starts_with("sha256 "), "{}", bare.id);
        assert_eq!((bare.issued_ms, bare.first), (None, None));
        assert_ne!(bare.id, stamp(json!({"sub": "b"})).id);
        assert_eq!(&*stamp(json!({"jti": "one"})).id, "one");
        for odd in [json!(7), json!(""), json!("x".repeat(129))] {
            assert!(stamp(json!({"jti": odd})).id.starts_with("sha256 "));
        }
        assert_eq!(stamp(json!({"iat": 1_763_907_600})).issued_ms, Some(1_763_907_600_000));
        assert_eq!(stamp(json!({"iat": "yesterday"})).issued_ms, None);
        assert_eq!(stamp(json!({"iat": FUTURE})).issued_ms, None, "dated out of reach");
        assert_eq!(stamp(json!({"exp": u64::MAX})).expires, u64::MAX);
        assert_eq!(stamp(json!({"exp": 4e9})).expires, FUTURE);
    }
}
