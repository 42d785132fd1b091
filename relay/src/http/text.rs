//! Rules for the words that people write: titles, purposes, labels.

use std::ops::RangeInclusive;

use super::problem::{ApiError, ApiResult};

/// Counts characters, not bytes. A NUL is refused: not every store can keep it.
pub(super) fn check_text(name: &str, text: &str, chars: RangeInclusive<usize>) -> ApiResult<()> {
    // Counting stops where the answer is known.
    let count = text.chars().take(chars.end() + 1).count();
    if !chars.contains(&count) {
        let range = format!("{} … {}", chars.start(), chars.end());
        return Err(ApiError::invalid(format!("{name} does not have {range} characters")));
    }
    if text.contains('\0') {
        return Err(ApiError::invalid(format!("{name} has a NUL character")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_not_bytes() {
        assert!(check_text("title", &"ä".repeat(200), 0..=200).is_ok());
        assert!(check_text("title", &"ä".repeat(201), 0..=200).is_err());
        assert!(check_text("label", "", 1..=500).is_err());
        assert!(check_text("label", "a\0b", 1..=500).is_err());
    }
}
