//! Long reads hold a slot until their answer is written.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use mien_shared::api::Session;

use super::problem::ApiResult;
use crate::app::AppState;
use crate::auth::Caller;
use crate::limits::{NoReadSlot, ReadKind, ReadSlot};

/// What is sent at a time. hyper (1.12) takes a piece as soon as it comes, however long, and drops the body with the last
/// one: in one piece an answer would release its slot before any of it is sent.
const PIECE_BYTES: usize = 64 * 1024;

/// Waits for a slot, before anything is read of the session.
pub(super) async fn read_slot(
    state: &AppState,
    kind: ReadKind,
    caller: &Caller,
    session: &Session,
) -> ApiResult<ReadSlot> {
    state.reads.enter(kind, caller, session).await.map_err(|cause| {
        if cause == NoReadSlot::Caller {
            state.metrics.rate_limited_reads.inc();
        }
        cause.into()
    })
}

/// The answer, which holds the slot until it is written or its connection ends.
pub(super) fn until_written(slot: ReadSlot, answer: Response) -> Response {
    answer.map(|body| Body::new(HeldBody { body, rest: Bytes::new(), _slot: slot }))
}

struct HeldBody {
    body: Body,
    /// Of the last frame.
    rest: Bytes,
    _slot: ReadSlot,
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(task)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        let piece = PIECE_BYTES.min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, mut hint) = (self.rest.len() as u64, self.body.size_hint());
        // In this order, as the lower bound may not pass the upper one.
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use mien_shared::api::Session;
    use mien_shared::{SessionId, SessionStatus};
    use uuid::Uuid;

    use super::*;
    use crate::limits::ReadSlots;

    #[tokio::test]
    async fn a_long_answer_is_written_in_pieces_and_has_its_place_until_the_last() {
        let reads = ReadSlots::new(25);
        let session = Session {
            id: SessionId(Uuid::now_v7()),
            user_id: "local".to_owned(),
            title: String::new(),
            purpose: String::new(),
            status: SessionStatus::Active,
            started_at: crate::clock::now(),
            completed_at: None,
        };
        let slot = reads.enter(ReadKind::Page, &Caller::local(), &session).await.unwrap();
        let mut body = until_written(slot, Response::new(Body::from(vec![7; 150_000]))).into_body();
        let mut left = 150_000;
        for length in [65_536, 65_536, 18_928] {
            assert_eq!((body.size_hint().exact(), reads.under_way()), (Some(left), 1));
            assert!(!body.is_end_stream());
            let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(piece.len(), length);
            left -= length as u64;
        }
        assert!(body.is_end_stream());
        drop(body);
        assert_eq!(reads.under_way(), 0);
    }
}
