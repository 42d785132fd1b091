//! Numbers as people read them: with the precision they deserve and a unit that stays on their line.

/// Keeps a number and its unit together.
pub const NBSP: char = '\u{a0}';

/// A share of 1 in whole per cent: `91 %`.
pub fn percent(share: f32) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    format!("{}{NBSP}%", (share * 100.0).round() as u32)
}

/// A number between −1 and 1 with its sign, and two digits after the point: `+0.62`, `−0.30`, `0.00`.
pub fn signed(value: f32) -> String {
    let hundredths = if value.is_finite() { (value.clamp(-1.0, 1.0) * 100.0).round() as i32 } else { 0 };
    let sign = match hundredths.signum() {
        1 => "+",
        -1 => "−",
        _ => "",
    };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}

/// Decimal units, one digit after the point from a kilobyte on: `812 B`, `12.4 kB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1_000 {
        return format!("{count}{NBSP}B");
    }
    let mut value = count as f64 / 1_000.0;
    let mut unit = 0;
    // 999.95 would round to 1000.0 of the smaller unit.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1}{NBSP}{}", UNITS[unit])
}

/// A length of time in milliseconds as a stopwatch shows it: `0:07`, `12:30`, `1:02:03`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A length of time in milliseconds in one unit, as people say it: `36 s`, `12 min`, `3 h`.
pub fn about(ms: u64) -> String {
    match ms / 1_000 {
        seconds @ 0..100 => format!("{seconds}{NBSP}s"),
        seconds @ 100..6_000 => format!("{}{NBSP}min", (seconds + 30) / 60),
        seconds => format!("{}{NBSP}h", (seconds + 1_800) / 3_600),
    }
}

/// How long before the newest sample something was: `now`, `8 s ago`, `3:07 ago`.
pub fn ago(ms: u64) -> String {
    match ms / 1_000 {
        0 => "now".to_owned(),
        seconds @ 1..60 => format!("{seconds}{NBSP}s ago"),
        _ => format!("{} ago", duration(ms)),
    }
}

/// A camera's label without the vendor and product ids that Chromium adds, or words for one without a label:
/// `USB Camera (046d:0825)` is `USB Camera`. `place` counts from 1.
pub fn camera(label: &str, place: usize) -> String {
    let is_id = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let label = label.trim();
    let bare = label
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("))
        .filter(|(_, ids)| {
            ids.split_once(':').is_some_and(|(vendor, product)| is_id(vendor) && is_id(product))
        })
        .map_or(label, |(bare, _)| bare);
    if bare.is_empty() { format!("Camera{NBSP}{place}") } else { bare.to_owned() }
}

/// With a capital first letter.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1 face`, `3 faces`; thousands are set apart.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{}{NBSP}{}", grouped(number), if number == 1 { one } else { many })
}

/// `12 345`: groups of three behind a narrow space, from five digits on.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() + digits.len());
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_have_a_sign_unless_they_round_to_nothing() {
        for (value, expected) in [
            (0.624, "+0.62"),
            (-0.3, "−0.30"),
            (-1.0, "−1.00"),
            (7.0, "+1.00"),
            (0.004, "0.00"),
            (-0.004, "0.00"),
            (-0.055, "−0.06"),
            (f32::NAN, "0.00"),
        ] {
            assert_eq!(signed(value), expected);
        }
    }

    #[test]
    fn cameras_have_names() {
        for (label, name) in [
            ("", "Camera\u{a0}2"),
            ("USB Camera (046d:0825)", "USB Camera"),
            ("camera2 0, facing back", "camera2 0, facing back"),
            ("FaceTime HD Camera (Built-in)", "FaceTime HD Camera (Built-in)"),
            ("(046d:0825)", "(046d:0825)"),
        ] {
            assert_eq!(camera(label, 2), name);
        }
    }

    #[test]
    fn percents_are_whole_and_bounded() {
        for (share, text) in
            [(0.9134, "91 %"), (0.0, "0 %"), (1.2, "100 %"), (f32::NAN, "0 %"), (0.005, "1 %")]
        {
            assert_eq!(percent(share).replace(NBSP, " "), text);
        }
    }

    #[test]
    fn bytes_step_up_before_they_show_a_thousand() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (12_400, "12.4 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(bytes(count).replace(NBSP, " "), text);
        }
    }

    #[test]
    fn durations() {
        for (ms, text) in [(0, "0:00"), (7_999, "0:07"), (750_000, "12:30"), (3_723_000, "1:02:03")] {
            assert_eq!(duration(ms), text);
        }
        for (ms, text) in [(0, "now"), (999, "now"), (8_000, "8 s ago"), (187_000, "3:07 ago")] {
            assert_eq!(ago(ms).replace(NBSP, " "), text);
        }
    }

    #[test]
    fn lengths_in_one_unit() {
        for (ms, text) in
            [(999, "0 s"), (99_999, "99 s"), (100_000, "2 min"), (720_000, "12 min"), (6_000_000, "2 h")]
        {
            assert_eq!(about(ms).replace(NBSP, " "), text);
        }
    }

    #[test]
    fn counts() {
        assert_eq!(count(1, "face", "faces").replace(NBSP, " "), "1 face");
        assert_eq!(count(0, "face", "faces").replace(NBSP, " "), "0 faces");
        assert_eq!(grouped(1_234), "1234");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
