//! One WebSocket of the generator.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::frame::{self, Frame};

/// Buffer space for a read. Longer messages make it grow.
const READ_BYTES: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    input: BytesMut,
    output: Vec<u8>,
}

impl Wire {
    /// Connects, upgrades, says hello and waits for the welcome.
    pub(crate) async fn open(address: SocketAddr, path: &str, token: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bWllbi1sb2FkLWtleS0xNg==\r\n\
             Sec-WebSocket-Protocol: mien.v1\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut wire = Self { stream, input: BytesMut::new(), output: Vec::new() };
        wire.upgraded().await?;
        wire.say(format!(r#"{{"type":"hello","token":"{token}"}}"#).as_bytes());
        wire.flush().await?;
        let mut welcome = false;
        while !welcome {
            wire.hear(|text| {
                ensure!(text.starts_with(r#"{"type":"welcome""#), "no welcome, but {text}");
                welcome = true;
                Ok(())
            })
            .await?;
        }
        Ok(wire)
    }

    async fn upgraded(&mut self) -> anyhow::Result<()> {
        loop {
            ensure!(self.stream.read_buf(&mut self.input).await? > 0, "the server hung up");
            if let Some(end) = self.input.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.input.split_to(end + 4);
                ensure!(
                    head.starts_with(b"HTTP/1.1 101"),
                    "no upgrade, but {}",
                    String::from_utf8_lossy(&head)
                );
                return Ok(());
            }
        }
    }

    /// Queues a message; [`Wire::flush`] writes all that is queued.
    pub(crate) fn say(&mut self, text: &[u8]) {
        frame::write_text(&mut self.output, text);
    }

    pub(crate) async fn flush(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.output).await?;
        self.output.clear();
        Ok(())
    }

    /// Reads once and hands out every complete message. May be dropped and called again.
    pub(crate) async fn hear(
        &mut self,
        mut each: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.input.reserve(READ_BYTES);
        ensure!(self.stream.read_buf(&mut self.input).await? > 0, "the server hung up");
        let mut pinged = false;
        while let Some((frame, taken)) = frame::read(&self.input)? {
            match frame {
                Frame::Text(text) => each(text)?,
                Frame::Ping(payload) => {
                    frame::write_pong(&mut self.output, payload);
                    pinged = true;
                }
                Frame::Pong => {}
                Frame::Close(code) => bail!("the server closed with {code:?}"),
            }
            self.input.advance(taken);
        }
        if pinged { self.flush().await } else { Ok(()) }
    }
}
