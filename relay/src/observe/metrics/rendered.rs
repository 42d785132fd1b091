//! The text of `/metrics`, rendered once for everyone who asks within a moment.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// What was rendered last, and when.
#[derive(Debug, Default)]
pub struct Rendered(Mutex<Option<(Instant, Bytes)>>);

impl Rendered {
    /// The text, no older than this. Callers that come while it is rendered wait for the same text.
    pub async fn get(&self, age: Duration, render: impl FnOnce() -> String) -> Bytes {
        let mut kept = self.0.lock().await;
        match &*kept {
            Some((at, text)) if at.elapsed() < age => text.clone(),
            _ => {
                let text = Bytes::from(render());
                *kept = Some((Instant::now(), text.clone()));
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn text_is_rendered_once_in_its_time() {
        let rendered = Rendered::default();
        let second = Duration::from_secs(1);
        assert_eq!(rendered.get(second, || "a".to_owned()).await, "a");
        tokio::time::advance(second / 2).await;
        assert_eq!(rendered.get(second, || panic!("it is fresh")).await, "a");
        tokio::time::advance(second / 2).await;
        assert_eq!(rendered.get(second, || "b".to_owned()).await, "b");
    }
}
