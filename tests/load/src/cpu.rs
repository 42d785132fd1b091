//! What a process has used: processor time and memory, as the kernel counts them.

use std::time::Duration;

use anyhow::Context as _;

/// Processor time of a process so far, user and system, including threads that have ended. The kernel reports it in
/// ticks of 10 ms, scaled to what the scheduler measured.
pub(crate) fn time(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let ticks = ticks(&text).with_context(|| format!("{path} has another form"))?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Resident memory of a process, bytes.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    resident_bytes(&text).with_context(|| format!("{path} has no VmRSS"))
}

/// `utime` + `stime`, the 14th and 15th field. The second field, the program's name, may contain anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_forms_are_read() {
        let stat = "42 (a) b) (c) S 1 42 42 0 -1 4194304 100 0 0 0 123 45 0 0 20 0 4 0 100 0 0";
        assert_eq!(ticks(stat), Some(168));
        assert_eq!(ticks("42 (a"), None);
        assert_eq!(resident_bytes("VmHWM:\t 9 kB\nVmRSS:\t    1536 kB\n"), Some(1_572_864));
        assert_eq!(resident_bytes("Name: x\n"), None);
    }

    #[test]
    fn this_process_uses_both() {
        let pid = std::process::id();
        let before = time(pid).unwrap();
        assert!(time(pid).unwrap() >= before);
        assert!(resident(pid).unwrap() > 100_000);
    }
}
