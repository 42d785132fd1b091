//! Queries, parameter by parameter: 400 for what cannot be read, 422 for what is not allowed, as for [bodies](super::body).

use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use mien_shared::api::SourceName;
use mien_shared::limits::{MAX_PAGE, MAX_SAFE_INTEGER};

use super::problem::{ApiError, ApiResult};
use crate::app::AppState;

/// A query that reads itself, parameter by parameter. Unknown parameters are ignored, as unknown JSON
/// fields are.
pub(super) trait ReadQuery: Sized {
    fn read(params: &Params) -> ApiResult<Self>;
}

/// The query of a request.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: ReadQuery> FromRequestParts<AppState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> ApiResult<Self> {
        let axum::extract::Query(pairs) = axum::extract::Query::try_from_uri(&parts.uri)
            .map_err(|cause| ApiError::malformed("the query cannot be read").because(cause))?;
        T::read(&Params(pairs)).map(Self)
    }
}

/// Decoded names and values of a query, in order.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// A parameter given twice could mean either.
    pub(super) fn text(&self, name: &str) -> ApiResult<Option<&str>> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() {
            return Err(ApiError::malformed(format!("{name} is given more than once")));
        }
        Ok(value)
    }

    /// A whole number within `range`.
    pub(super) fn number(&self, name: &str, range: RangeInclusive<u64>) -> ApiResult<Option<u64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ApiError::malformed(format!("{name} is not a whole number")));
        }
        // What does not fit the type is a number all the same, only out of range.
        text.parse().ok().filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            ApiError::invalid(format!("{name} is not within {} … {}", range.start(), range.end()))
        })
    }

    pub(super) fn source(&self) -> ApiResult<Option<SourceName>> {
        self.text("source")?
            .map(|text| {
                text.parse()
                    .map_err(|fault: mien_shared::api::SourceNameFault| ApiError::invalid(fault.to_string()))
            })
            .transpose()
    }
}

/// The `limit` of a paged list.
pub(super) fn limit(params: &Params) -> ApiResult<Option<u32>> {
    Ok(params.number("limit", 1..=u64::from(MAX_PAGE))?.map(|limit| limit as u32))
}

/// Unix milliseconds; one past the largest `at` too, so that `to` can leave that in.
pub(super) fn moment(params: &Params, name: &str) -> ApiResult<Option<u64>> {
    params.number(name, 0..=MAX_SAFE_INTEGER + 1)
}

#[cfg(test)]
mod tests {
    use mien_shared::Code;

    use super::*;

    #[test]
    fn a_parameter_is_read_or_refused_by_the_one_rule() {
        let limit = |values: &[&str]| {
            let pairs = values.iter().map(|value| ("limit".to_owned(), (*value).to_owned())).collect();
            Params(pairs).number("limit", 1..=1_000).map_err(|error| error.code)
        };
        assert_eq!(limit(&[]), Ok(None));
        assert_eq!(limit(&["1000"]), Ok(Some(1_000)));
        for unreadable in [&["abc"][..], &[""], &["-"], &["1.5"], &["+1"], &["1", "2"]] {
            assert_eq!(limit(unreadable), Err(Code::Malformed), "{unreadable:?}");
        }
        for not_allowed in ["0", "1001", "-5", "99999999999999999999999"] {
            assert_eq!(limit(&[not_allowed]), Err(Code::Invalid), "{not_allowed}");
        }
    }
}
