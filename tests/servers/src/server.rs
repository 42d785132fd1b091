//! One server process: started, killed, frozen, thawed, restarted in place.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::folder::Folder;

/// Far longer than a start takes on a busy machine.
const START: Duration = Duration::from_mins(1);

/// A process in a folder.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    process: Option<Child>,
    folder: Folder,
}

impl Server {
    pub(crate) fn new(name: &'static str, folder: Folder) -> Self {
        Self { name, process: None, folder }
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Starts `command` and waits until `ready` returns true.
    pub(crate) fn start(&mut self, command: &mut Command, ready: impl Fn() -> bool) {
        assert!(self.process.is_none(), "{} runs already", self.name);
        let log = self.folder.path().join("log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let process = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            // An interrupt meant for the test does not end it: the process that watches its folder does.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|cause| panic!("{} does not start: {cause}", self.name));
        self.folder.note(process.id());
        let process = self.process.insert(process);
        let deadline = Instant::now() + START;
        while !ready() {
            let ended = process.try_wait().expect("a child can be asked");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{} is not ready (ended: {ended:?})\n{}",
                self.name,
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Sends `signal` and waits for the end.
    pub(crate) fn end(&mut self, signal: Signal) {
        let mut process = self.process.take().unwrap_or_else(|| panic!("{} does not run", self.name));
        send(process.id(), signal);
        process.wait().expect("a child can be waited for");
    }

    /// SIGKILL for all of its processes, as when the machine dies; waits until none are left.
    pub(crate) fn kill(&mut self) {
        // Its children first: they could outlive it and keep what it had, such as shared memory.
        send(self.pid(), Signal::STOP);
        let children = children(self.pid());
        for child in &children {
            send(*child, Signal::KILL);
        }
        self.end(Signal::KILL);
        while children.iter().any(|child| runs(*child)) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGSTOP for the process, then for its children, to which it can no longer add.
    pub(crate) fn freeze(&self) {
        let pid = self.pid();
        send(pid, Signal::STOP);
        for child in children(pid) {
            send(child, Signal::STOP);
        }
    }

    pub(crate) fn thaw(&self) {
        let pid = self.pid();
        for child in children(pid) {
            send(child, Signal::CONT);
        }
        send(pid, Signal::CONT);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().unwrap_or_else(|| panic!("{} does not run", self.name)).id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.runs() {
            self.kill();
        }
    }
}

fn children(pid: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether a process is more than a zombie.
fn runs(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may contain anything, so the state is what follows its last parenthesis.
    state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// A process that has ended in the meantime needs no signal.
fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// A port that was free a moment ago. The kernel hands out others before it comes back to this one.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound address").port()
}
