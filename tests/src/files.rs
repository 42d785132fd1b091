//! A plain file server: what an embedder's own site is.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

/// What stands behind a path: a folder below it, or one text.
#[derive(Clone, Debug)]
pub enum Content {
    Folder(PathBuf),
    Html(String),
}

/// Serves until the process ends. Keys are paths; that of a folder ends with a slash.
pub fn serve(contents: BTreeMap<&'static str, Content>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let contents = contents.clone();
            thread::spawn(move || {
                // A browser that changes its mind is no concern of a test.
                let _ = answer(client, &contents);
            });
        }
    });
    address
}

fn answer(mut client: TcpStream, contents: &BTreeMap<&'static str, Content>) -> io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let (status, kind, body) = match find(path, contents) {
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", Vec::new()),
    };
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    client.write_all(&body)
}

fn find(path: &str, contents: &BTreeMap<&'static str, Content>) -> Option<(&'static str, Vec<u8>)> {
    if let Some(Content::Html(text)) = contents.get(path) {
        return Some(("text/html; charset=utf-8", text.clone().into_bytes()));
    }
    contents.iter().find_map(|(prefix, content)| match content {
        Content::Folder(folder) => {
            let name = path.strip_prefix(prefix).filter(|name| !name.contains(".."))?;
            Some((media_type(name), std::fs::read(folder.join(name)).ok()?))
        }
        Content::Html(_) => None,
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript",
        "wasm" => "application/wasm",
        "webm" => "video/webm",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
