//! `cargo xtask size`: what a browser loads, raw and as the relay sends it.
//!
//! It asks the relay itself, so that these are the bytes on the wire and not an estimate.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use anyhow::{Context as _, bail};

use crate::process::{Companion, Interrupt};
use crate::{files, install, page, relay, workspace};

pub(crate) fn show() -> anyhow::Result<()> {
    install::rust::ensure()?;
    page::build()?;
    relay::build()?;
    let address = free_address()?;
    let interrupt = Interrupt::catch()?;
    // The sizes have nothing to do with the database that holds the sessions.
    let mut server = Companion::start(
        relay::command(address).env("MIEN_DATABASE_URL", scratch_database()).env("MIEN_LOG", "warn"),
    )?;
    if !relay::wait_until_ready(&mut server, address, &interrupt)? {
        return Ok(());
    }
    println!("{:<64} {:>12} {:>12}", "file", "raw", "as sent");
    let (mut total, mut on_request) = ((0, 0), (0, 0));
    for path in files::below(&workspace::dist())? {
        let raw = length(address, &path, "identity")?;
        let sent = length(address, &path, "br")?;
        println!("{path:<64} {:>12} {:>12}", grouped(raw), grouped(sent));
        let sum = if is_on_request(&path) { &mut on_request } else { &mut total };
        *sum = (sum.0 + raw, sum.1 + sent);
    }
    for (name, (raw, sent)) in [("all", total), ("only when landmarks are asked for", on_request)] {
        println!("{name:<64} {:>12} {:>12}", grouped(raw), grouped(sent));
    }
    server.stop()?;
    Ok(())
}

/// Whether a visitor fetches this only by asking for landmarks.
fn is_on_request(path: &str) -> bool {
    path.starts_with("models/mediapipe_face_landmarks")
        || path.starts_with("models/mediapipe_face_blendshapes")
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn scratch_database() -> String {
    format!("sqlite:{}", workspace::target().join("size.db").display())
}

/// The `Content-Length` of a file in this encoding.
fn length(address: SocketAddr, path: &str, encoding: &str) -> anyhow::Result<usize> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "HEAD /{path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: {encoding}\r\nConnection: close\r\n\r\n"
    )?;
    let mut head = String::new();
    stream.read_to_string(&mut head)?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("the relay has no /{path}: {}", head.lines().next().unwrap_or_default());
    }
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .with_context(|| format!("the relay gave no length for /{path}"))
}

/// Shows 1234567 as 1 234 567.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_landmarks_need_is_no_part_of_a_visit() {
        let html = std::fs::read_to_string(workspace::root().join("index.html")).unwrap();
        let copied = html.split("models/weights/").skip(1).filter_map(|rest| rest.split('"').next());
        let (later, first): (Vec<&str>, Vec<&str>) =
            copied.partition(|file| is_on_request(&format!("models/{file}")));
        assert_eq!((first.len(), later.len()), (3, 2), "{first:?} {later:?}");
    }

    #[test]
    fn digits_stand_in_threes() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(count), text);
        }
    }
}
