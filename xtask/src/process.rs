//! Running other programs: to completion with a readable error, or alongside us with a clean stop.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The relay may take 30 s to flush and close; more than that is a hang.
const STOP_DEADLINE: Duration = Duration::from_secs(35);
const POLL: Duration = Duration::from_millis(50);

/// How a command is shown in a message.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    command.get_args().fold(name, |text, argument| text + " " + &argument.to_string_lossy())
}

/// Runs a command to the end; anything but success is an error that names the command.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// The command with the lowest claim on the processor, where there is a program for that. Where its output goes must
/// be set again.
pub(crate) fn at_low_priority(command: &Command) -> Command {
    let mut words: Vec<&OsStr> = vec![command.get_program()];
    words.extend(command.get_args());
    let mut low = if on_path("nice") {
        let mut nice = Command::new("nice");
        nice.args(["-n", "19"]).args(words);
        nice
    } else {
        let mut plain = Command::new(words[0]);
        plain.args(&words[1..]);
        plain
    };
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => low.env(name, value),
            None => low.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        low.current_dir(folder);
    }
    low
}

/// Whether the command succeeds; its output is dropped.
pub(crate) fn quietly(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// What a command prints, trimmed; `None` if it fails.
pub(crate) fn text(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program of this name is on the path.
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Becomes true at Ctrl-C, SIGTERM or SIGHUP.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on such a signal no longer ends this process on its own. May be called only once.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&flag);
        ctrlc::set_handler(move || set.store(true, Ordering::Relaxed)).context("could not catch Ctrl-C")?;
        Ok(Self(flag))
    }

    /// For a job that Ctrl-C simply ends.
    pub(crate) fn never() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A program running alongside us, in its own process group: Ctrl-C reaches it only once, through us, and stopping it
/// also stops whatever it started.
#[derive(Debug)]
pub(crate) struct Companion {
    child: Child,
    name: String,
}

impl Companion {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = shown(command);
        let child = command.process_group(0).spawn().with_context(|| format!("could not start `{name}`"))?;
        Ok(Self { child, name })
    }

    /// `Some` once it has ended on its own.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it has ended on its own.
    pub(crate) fn wait(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks it to end and waits; it is killed if it does not.
    pub(crate) fn stop(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        self.signal("TERM");
        let deadline = Instant::now() + STOP_DEADLINE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
        self.signal("KILL");
        self.child.wait()
    }

    /// Uses `kill`, as the standard library has no signals and this workspace has no `unsafe`.
    fn signal(&self, signal: &str) {
        quietly(
            Command::new("kill").arg(format!("-{signal}")).arg("--").arg(format!("-{}", self.child.id())),
        );
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if let Err(fault) = self.stop() {
            eprintln!("could not stop `{}`: {fault}", self.name);
        }
    }
}
