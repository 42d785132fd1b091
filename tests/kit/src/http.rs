//! One HTTP/1.1 request on a connection of its own. Every suite asks relays through this client.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use mien_shared::{Code, Problem};
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// An empty token sends no header. A body is JSON.
pub fn request(method: Method, path: &str, token: &str, body: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = Bytes::from(body.unwrap_or_default().to_owned());
    request.body(Full::new(body)).expect("method and path are valid")
}

/// A request with these headers and this body as they are.
pub fn request_with(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request<Full<Bytes>> {
    let mut request = request(method, path, "", None);
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a header's name");
        request.headers_mut().append(name, value.parse().expect("a header's value"));
    }
    *request.body_mut() = Full::new(Bytes::from(body.to_owned()));
    request
}

/// The whole answer; `None` if nobody listens or the connection breaks.
pub async fn exchange(address: SocketAddr, mut request: Request<Full<Bytes>>) -> Option<Answer> {
    request.headers_mut().insert(HOST, address.to_string().parse().expect("an address is a header's value"));
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = tokio::spawn(connection);
    let answer = async {
        let (head, body) = sender.send_request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Answer { status: head.status, headers: head.headers, body })
    };
    let answer = answer.await;
    connection.abort();
    answer
}

/// The relay must answer.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    let answer = exchange(address, request(Method::GET, path, "", None)).await;
    answer.unwrap_or_else(|| panic!("nobody answers GET {path}"))
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap_or_else(|cause| panic!("not text: {cause}"))
    }

    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|cause| panic!("{cause}: {}", self.text()))
    }

    /// Empty if there is no such header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of plain text"))
    }

    /// Panics unless the answer is a problem with this code and everything that a problem must have.
    #[track_caller]
    pub fn is_problem(&self, code: Code) -> Problem {
        assert_eq!(self.header("content-type"), Problem::MEDIA_TYPE, "{self:?}");
        let problem: Problem = self.json();
        assert_eq!(problem.code, code, "{}", problem.detail);
        assert_eq!((problem.status, self.status.as_u16()), (code.status(), code.status()));
        assert_eq!(problem.title, code.title());
        assert_eq!(problem.kind, "about:blank");
        assert!(!problem.detail.is_empty());
        assert!(!problem.request_id.is_empty());
        assert_eq!(problem.request_id, self.header("x-request-id"));
        assert_eq!(self.header("cache-control"), "no-store");
        problem
    }
}
