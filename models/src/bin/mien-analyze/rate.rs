//! How many frames a second a stream has, and so when each of them is.

use std::str::FromStr;
use std::time::Duration;

/// As ffmpeg writes it: `25`, `29.97` or `30000/1001`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    frames: f64,
    seconds: f64,
}

impl Rate {
    /// The position of a frame; the first one is frame 0, at 0.
    pub(crate) fn time_of(self, frame: u64) -> Duration {
        Duration::try_from_secs_f64(frame as f64 * self.seconds / self.frames).unwrap_or(Duration::MAX)
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
        let (frames, seconds) = text.split_once('/').unwrap_or((text, "1"));
        match (number(frames), number(seconds)) {
            (Some(frames), Some(seconds)) => Ok(Self { frames, seconds }),
            _ => Err("frames a second, as in 25, 29.97 or 30000/1001"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_a_ratio() {
        let at = |rate: &str, frame| rate.parse::<Rate>().expect(rate).time_of(frame).as_millis();
        assert_eq!((at("25", 0), at("25", 1), at("25", 50)), (0, 40, 2_000));
        assert_eq!((at("30000/1001", 30), at("29.97", 2_997)), (1_001, 100_000));
        assert_eq!(at("0.5", 3), 6_000);
        for wrong in ["", "0", "-1", "1/0", "nan", "inf", "25/", "a"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
        assert_eq!("1e-300".parse::<Rate>().expect("a number").time_of(u64::MAX), Duration::MAX);
    }
}
