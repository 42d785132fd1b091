//! Tokens: asked for, issued and revoked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::source::SourceName;
use crate::whole::whole_if_any;

/// What a capability token allows within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// All of its session.
    Owner,
    /// Send samples of one source, nothing else.
    Ingest,
    /// Watch and read.
    Watch,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenRequest {
    pub role: Role,
    /// Only with role `ingest`; `main` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    #[serde(default, deserialize_with = "whole_if_any", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::TokenSeconds>))]
    pub ttl_s: Option<u64>,
}

/// Which tokens of a session are no longer to be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RevokeRequest {
    /// The `jti` of the one token; all of the session but the caller's where there is none.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::TokenId, required = false))]
    pub jti: Option<String>,
}

/// What is there has a value: `null`, as a client writes that has lost the name, must not mean all.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenGrant {
    pub token: String,
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}
