//! A watcher's `samples` message.

use mien_shared::api::SourceName;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

pub fn samples_message<S: Serialize>(source: &SourceName, samples: &[S]) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Message<'a, S> {
        #[serde(rename = "type")]
        kind: &'static str,
        source: &'a SourceName,
        samples: &'a [S],
    }
    serde_json::to_string(&Message { kind: "samples", source, samples })
        .expect("samples are plain JSON")
        .into()
}

#[cfg(test)]
mod tests {
    use mien_shared::Sample;
    use mien_shared::protocol::WatchReply;

    use super::*;

    #[test]
    fn the_message_is_the_contracts() {
        let source = SourceName::default();
        let sample = |seq| Sample::new(seq, seq, Vec::new());
        let text = samples_message(&source, &[sample(1), sample(2)]);
        let reply: WatchReply = serde_json::from_str(&text).unwrap();
        assert_eq!(reply, WatchReply::Samples { source, samples: vec![sample(1), sample(2)] });
    }
}
