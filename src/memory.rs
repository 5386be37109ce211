//! The process's memory: the allocator's settings, and what is used and free.

use std::fs;

/// Lets the process keep freed memory instead of giving it back to the system after every large tensor.
///
/// Each training step frees and takes the same tensors again; to map and clear their pages anew costs a fifth of a MAML step.
/// Only glibc has these settings; elsewhere nothing changes.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only sets two parameters of the allocator, under its own lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20); // the largest that glibc takes
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 30);
    }
}

/// The most memory this process has had at once, in bytes, where the system tells.
pub fn peak() -> Option<u64> {
    kilobytes("/proc/self/status", "VmHWM:")
}

/// The memory that is free for programs, in bytes, where the system tells: the machine's, or what is left of a container's limit.
pub fn available() -> Option<u64> {
    let machine = kilobytes("/proc/meminfo", "MemAvailable:")?;
    let number = |file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let container = number("/sys/fs/cgroup/memory.max")
        .zip(number("/sys/fs/cgroup/memory.current"))
        .map(|(limit, used)| limit.saturating_sub(used));
    Some(container.map_or(machine, |left| left.min(machine)))
}

/// A number of kB behind a key in a file of the kernel's, in bytes.
fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_what_is_used_and_free() {
        let before = peak().expect("a peak");
        let block = vec![1u8; 64 << 20];
        assert!(block.iter().map(|&byte| u64::from(byte)).sum::<u64>() == 64 << 20);
        assert!(peak().expect("a peak") >= before.max(64 << 20));
        assert!(available().expect("free memory") > 0);
    }
}
