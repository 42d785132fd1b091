//! An answer that has its place until its body is written.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::limits::reads::Place;

/// What is handed on at a time. hyper (1.12) takes a piece as soon as it comes, however long, and lets go of the body
/// with the last one: in one piece an answer would give its place back before any of it is sent.
const PIECE_BYTES: usize = 64 * 1024;

impl Place {
    /// The answer, which has the place until it is written, or nobody wants it any more.
    pub fn until_written(self, answer: Response) -> Response {
        answer.map(|body| Body::new(Held { body, rest: Bytes::new(), _place: self }))
    }
}

struct Held {
    body: Body,
    /// Of the last frame.
    rest: Bytes,
    _place: Place,
}

impl HttpBody for Held {
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
    use crate::auth::Caller;
    use crate::limits::reads::{Kind, Reads};

    #[tokio::test]
    async fn a_long_answer_is_written_in_pieces_and_has_its_place_until_the_last() {
        let reads = Reads::new(25);
        let session = Session {
            id: SessionId(Uuid::now_v7()),
            user_id: "local".to_owned(),
            title: String::new(),
            purpose: String::new(),
            status: SessionStatus::Active,
            started_at: crate::clock::now(),
            completed_at: None,
        };
        let place = reads.enter(Kind::Page, &Caller::local(), &session).await.unwrap();
        let mut body = place.until_written(Response::new(Body::from(vec![7; 150_000]))).into_body();
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
