//! A cable between browser and relay that can be pulled and plugged in again.
//!
//! When it is pulled, every connection breaks and no new one can be opened, as for a laptop that leaves the network.
//! (The browser's own "offline" leaves open sockets alone, so it proves less.) It can also act as a slow line.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes carried at once. Small, so that a slow line is evenly slow.
const PIECE_BYTES: usize = 4_096;
/// As fast as it goes.
const ANY_SPEED: u64 = u64::MAX;

#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    plugged: AtomicBool,
    /// Connections that came while it was pulled.
    refused: AtomicU64,
    /// Towards the browser.
    bytes_per_second: AtomicU64,
    closing: AtomicBool,
    /// Both ends of every connection since the last pull.
    open: Mutex<Vec<TcpStream>>,
}

impl Cable {
    pub fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            to,
            plugged: AtomicBool::new(true),
            refused: AtomicU64::new(0),
            bytes_per_second: AtomicU64::new(ANY_SPEED),
            closing: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
        });
        let carrier = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if carrier.closing.load(Ordering::SeqCst) {
                    return;
                }
                // Failing connections are the point here.
                let _ = carrier.carry(client);
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn pull(&self) {
        self.shared.plugged.store(false, Ordering::SeqCst);
        for end in self.shared.open().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Connections that were attempted while it was pulled, so far.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::SeqCst)
    }

    pub fn plug(&self) {
        self.shared.plugged.store(true, Ordering::SeqCst);
    }

    /// From now on each connection carries this much per second towards the browser, until told otherwise.
    pub fn slow(&self, bytes_per_second: u64) {
        self.shared.bytes_per_second.store(bytes_per_second, Ordering::SeqCst);
    }

    pub fn as_fast_as_it_goes(&self) {
        self.slow(ANY_SPEED);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.pull();
        // Wakes the listener so that its thread sees the end.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        if !self.plugged.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return client.shutdown(Shutdown::Both);
        }
        let server = TcpStream::connect(self.to)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let mut open = self.open();
        open.push(client.try_clone()?);
        open.push(server.try_clone()?);
        drop(open);
        let (mut up, mut relay) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut up, &mut relay);
            let _ = relay.shutdown(Shutdown::Write);
        });
        let shared = Arc::clone(self);
        thread::spawn(move || {
            let _ = shared.carry_down(server, &client);
            let _ = client.shutdown(Shutdown::Write);
        });
        Ok(())
    }

    fn carry_down(&self, mut from: TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut piece = [0; PIECE_BYTES];
        loop {
            let length = from.read(&mut piece)?;
            if length == 0 {
                return Ok(());
            }
            to.write_all(&piece[..length])?;
            let speed = self.bytes_per_second.load(Ordering::SeqCst);
            if speed != ANY_SPEED {
                thread::sleep(Duration::from_secs_f64(length as f64 / speed as f64));
            }
        }
    }
}
