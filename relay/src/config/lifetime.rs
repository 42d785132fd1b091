//! Lengths of time as people write them in a setting.

use std::time::Duration;

/// A length of time as a number and `s`, `m`, `h` or `d`; at most a hundred years, so that no date overflows.
pub fn read_lifetime(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and s, m, h or d, for example 30d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match count.checked_mul(seconds) {
        Some(total @ 1..=3_155_760_000) => Ok(Duration::from_secs(total)),
        _ => Err("between 1 s and 100 years".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_read() {
        assert_eq!(read_lifetime("30d"), Ok(Duration::from_hours(30 * 24)));
        assert_eq!(read_lifetime("90s"), Ok(Duration::from_secs(90)));
        for bad in ["", "d", "30", "30w", "-1d", "0s", "99999999999d", "1ä"] {
            assert!(read_lifetime(bad).is_err(), "{bad}");
        }
    }
}
