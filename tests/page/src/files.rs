//! A plain file server: it stands for an embedder's own site.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

/// What a path serves: a folder, or a single text.
#[derive(Clone, Debug)]
pub enum Content {
    Folder(PathBuf),
    Html(String),
}

/// A site, and its peculiarities.
#[derive(Clone, Debug, Default)]
pub struct Site {
    contents: BTreeMap<&'static str, Content>,
    headers: Vec<(&'static str, &'static str, &'static str)>,
    missing: Vec<String>,
    fallback: Option<&'static str>,
}

impl Site {
    /// Keys are paths; a folder's path ends with a slash.
    pub fn of(contents: BTreeMap<&'static str, Content>) -> Self {
        Self { contents, ..Self::default() }
    }

    /// Sets a header, replacing the server's own, in the answer for this path, or for everything below it if it is a
    /// folder (except the root).
    #[must_use]
    pub fn header(mut self, path: &'static str, name: &'static str, value: &'static str) -> Self {
        self.headers.push((path, name, value));
        self
    }

    /// As if this file had never been uploaded.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.missing.push(path.to_owned());
        self
    }

    /// Answers with this and status 200 for everything that does not exist.
    #[must_use]
    pub fn fallback(mut self, page: &'static str) -> Self {
        self.fallback = Some(page);
        self
    }

    /// Serves until the process ends.
    pub fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let site = Arc::new(self);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let site = Arc::clone(&site);
                thread::spawn(move || {
                    // If a browser cancels a request, that is no concern of a test.
                    let _ = site.answer(client);
                });
            }
        });
        address
    }

    fn answer(&self, mut client: TcpStream) -> io::Result<()> {
        let mut lines = BufReader::new(client.try_clone()?).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let found = if self.missing.iter().any(|missing| missing == path) { None } else { self.find(path) };
        let (status, kind, body) = match (found, self.fallback) {
            (Some((kind, body)), _) => ("200 OK", kind, body),
            (None, Some(page)) => ("200 OK", HTML, page.as_bytes().to_vec()),
            (None, None) => ("404 Not Found", "text/plain", Vec::new()),
        };
        let mut headers = BTreeMap::from([("Content-Type", kind), ("Connection", "close")]);
        for (at, name, value) in &self.headers {
            if *at == path || (at.ends_with('/') && *at != "/" && path.starts_with(at)) {
                headers.insert(name, value);
            }
        }
        write!(client, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len())?;
        for (name, value) in headers {
            write!(client, "{name}: {value}\r\n")?;
        }
        client.write_all(b"\r\n")?;
        client.write_all(&body)
    }

    fn find(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        if let Some(Content::Html(text)) = self.contents.get(path) {
            return Some((HTML, text.clone().into_bytes()));
        }
        self.contents.iter().find_map(|(prefix, content)| match content {
            Content::Folder(folder) => {
                let name = path.strip_prefix(prefix).filter(|name| !name.contains(".."))?;
                Some((media_type(name), std::fs::read(folder.join(name)).ok()?))
            }
            Content::Html(_) => None,
        })
    }
}

const HTML: &str = "text/html; charset=utf-8";

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript",
        "wasm" => "application/wasm",
        "webm" => "video/webm",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
