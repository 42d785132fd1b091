//! Reports how long a first start takes and how far along it is.

use std::time::{Duration, Instant};

/// The steps of a first start, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Crates,
    Bindgen,
    Page,
    Relay,
}

impl Stage {
    pub(crate) const FIRST_START: &[Self] = &[Self::Crates, Self::Bindgen, Self::Page, Self::Relay];

    fn name(self) -> &'static str {
        match self {
            Self::Crates => "crates",
            Self::Bindgen => "wasm-bindgen",
            Self::Page => "the page",
            Self::Relay => "the relay",
        }
    }

    /// Measured on two cores.
    const fn usual(self) -> Duration {
        Duration::from_secs(match self {
            Self::Crates => 10,
            Self::Bindgen => 30,
            Self::Page => 180,
            Self::Relay => 200,
        })
    }
}

#[derive(Debug)]
pub(crate) struct Progress {
    stages: &'static [Stage],
    begun: Instant,
}

impl Progress {
    /// With no stages it prints nothing.
    pub(crate) fn new(stages: &'static [Stage]) -> Self {
        let progress = Self { stages, begun: Instant::now() };
        if !stages.is_empty() {
            eprintln!("[first start] about {} on two cores; later ones take seconds", minutes(usual(stages)));
        }
        progress
    }

    pub(crate) fn begin(&mut self, stage: Stage) {
        if let Some(line) = line(self.stages, stage, self.begun.elapsed()) {
            eprintln!("[first start] {line}");
        }
    }

    pub(crate) fn end(&self) {
        if !self.stages.is_empty() {
            eprintln!("[first start] took {}", minutes(self.begun.elapsed()));
        }
    }
}

/// The remaining time is estimated from how long the stages so far took.
fn line(stages: &[Stage], stage: Stage, elapsed: Duration) -> Option<String> {
    let place = stages.iter().position(|known| *known == stage)?;
    let (done, left) = stages.split_at(place);
    let usual_done = usual(done);
    // Stages of a few seconds say nothing about the machine.
    let pace = if usual_done < Duration::from_secs(20) {
        1.0
    } else {
        elapsed.as_secs_f64() / usual_done.as_secs_f64()
    };
    let left = usual(left).mul_f64(pace);
    Some(format!("{}/{}: {}; about {} left", place + 1, stages.len(), stage.name(), minutes(left)))
}

fn usual(stages: &[Stage]) -> Duration {
    stages.iter().map(|stage| stage.usual()).sum()
}

fn minutes(time: Duration) -> String {
    if time < Duration::from_mins(1) {
        return format!("{} s", time.as_secs());
    }
    format!("{} min", (time.as_secs() + 30) / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_goes_by_the_machines_pace() {
        let all = Stage::FIRST_START;
        let at = |stage, seconds| line(all, stage, Duration::from_secs(seconds)).unwrap();
        let usual_before = usual(&all[..3]).as_secs();
        assert_eq!(at(Stage::Crates, 0), format!("1/4: crates; about {} left", minutes(usual(all))));
        let relay = Stage::Relay.usual();
        assert_eq!(at(Stage::Relay, usual_before), format!("4/4: the relay; about {} left", minutes(relay)));
        let twice = at(Stage::Relay, usual_before * 2);
        assert_eq!(twice, format!("4/4: the relay; about {} left", minutes(relay * 2)));
        assert_eq!(line(&[], Stage::Page, Duration::ZERO), None);
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (89, "1 min"), (90, "2 min"), (480, "8 min")]
        {
            assert_eq!(minutes(Duration::from_secs(seconds)), text);
        }
    }
}
