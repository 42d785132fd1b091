//! A cable between browser and relay that can be pulled and plugged in again.
//!
//! Pulled, every connection breaks and no new one comes about, as for a laptop that leaves the network. (The
//! browser's own "offline" leaves open sockets alone, so it proves less.)

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    plugged: AtomicBool,
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
            closing: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
        });
        let carrier = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if carrier.closing.load(Ordering::SeqCst) {
                    return;
                }
                // A connection that fails is what this is about.
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

    pub fn plug(&self) {
        self.shared.plugged.store(true, Ordering::SeqCst);
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

    fn carry(&self, client: TcpStream) -> io::Result<()> {
        if !self.plugged.load(Ordering::SeqCst) {
            return client.shutdown(Shutdown::Both);
        }
        let server = TcpStream::connect(self.to)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let mut open = self.open();
        open.push(client.try_clone()?);
        open.push(server.try_clone()?);
        drop(open);
        for (mut from, mut to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
        Ok(())
    }
}
